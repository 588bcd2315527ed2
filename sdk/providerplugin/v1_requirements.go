package providerplugin

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
)

// maxNeeds bounds the features that a plugin may need.
const maxNeeds = 100

func v1Requirements(reply *providerv1.DescribeResponse) Requirements {
	needs := reply.GetNeeds()
	r := Requirements{MinimumContract: int(min(max(1, reply.GetMinimumContract()), maxLimit)), Limits: limitsFrom(reply.GetLimits())}
	for _, need := range needs[:min(len(needs), maxNeeds)] {
		r.Needs = append(r.Needs, clean(need, 63))
	}
	return r
}

// fitReply is a *RelayError for a reply that is larger than what is granted. A Relay reads
// no more than that; a reply that was kept of an operation with larger limits may be.
func (l Limits) fitReply(response *HTTPResponse) error {
	size := int64(len(response.Body))
	if size > l.BodyBytes {
		return &RelayError{Written: true, Message: fmt.Sprintf("the service answered with more than %d KiB", l.BodyBytes>>10)}
	}
	for name, values := range response.Header {
		for _, value := range values {
			size += int64(len(name) + len(value) + 16) // with what the wire adds
		}
	}
	if size+1<<10 > l.MessageBytes {
		return &RelayError{Written: true, Message: fmt.Sprintf("the service answered with more headers than fit into %d KiB", l.MessageBytes>>10)}
	}
	return nil
}

// deprecatedFields are the deprecated fields that a message and those within it have set,
// by their full name, sorted.
func deprecatedFields(m protoreflect.Message) []string {
	var names []string
	m.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		if o, ok := field.Options().(*descriptorpb.FieldOptions); ok && o.GetDeprecated() {
			names = append(names, string(field.FullName()))
		}
		switch {
		case field.IsMap():
			if field.MapValue().Message() != nil {
				value.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					names = append(names, deprecatedFields(v.Message())...)
					return true
				})
			}
		case field.Message() != nil && field.IsList():
			for i := range value.List().Len() {
				names = append(names, deprecatedFields(value.List().Get(i).Message())...)
			}
		case field.Message() != nil:
			names = append(names, deprecatedFields(value.Message())...)
		}
		return true
	})
	slices.Sort(names)
	return slices.Compact(names)
}
