package providerplugin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
)

// Load implements providerv1.ProviderServiceServer.
func (s *v1Server) Load(stream grpc.ClientStreamingServer[providerv1.LoadRequest, providerv1.LoadResponse]) error {
	if s.documents == nil {
		return status.Error(codes.Unimplemented, "this plugin is not made of documents")
	}
	var set []Document
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		document, err := v1DocumentFrom(msg.GetDocument())
		if err != nil || len(set) == MaxDocuments {
			return status.Error(codes.InvalidArgument, "a document is too large, is not the one of its sum, or is one too many")
		}
		set = append(set, document)
	}
	providers, problems := s.documents.replaced(set)
	served, err := v1Serving(ServeConfig{Providers: append(s.own, providers...), Needs: s.config.Needs, MinimumContract: s.config.MinimumContract, Limits: s.config.Limits})
	if err != nil {
		return status.Error(codes.Internal, clean(err.Error(), 500))
	}
	s.served.Store(served)
	reply := &providerv1.LoadResponse{}
	for _, p := range problems {
		reply.Problems = append(reply.Problems, &providerv1.DocumentProblem{Name: p.Name, Line: uint32(max(p.Line, 0)), Text: v1Text(p.Text)})
	}
	return stream.SendAndClose(reply)
}

// Shipped implements providerv1.ProviderServiceServer.
func (s *v1Server) Shipped(_ *providerv1.ShippedRequest, stream grpc.ServerStreamingServer[providerv1.ShippedResponse]) error {
	if s.documents == nil {
		return status.Error(codes.Unimplemented, "this plugin is not made of documents")
	}
	for _, d := range s.documents.Shipped {
		if err := stream.Send(&providerv1.ShippedResponse{Document: v1Document(d)}); err != nil {
			return err
		}
	}
	return nil
}

// Load hands a plugin the documents that the host has for it, in the place of those of
// before, and returns why some are not served. Describe has the rest. Errors: as all
// methods; NotServed if the plugin is not made of documents.
func (c *Client) Load(ctx context.Context, set []Document) ([]DocumentProblem, error) {
	stream, err := c.v1.rpc.Load(ctx)
	if err != nil {
		return nil, v1ErrorFrom(err)
	}
	for _, d := range set {
		if err := stream.Send(&providerv1.LoadRequest{Document: v1Document(d)}); err != nil && !errors.Is(err, io.EOF) { // EOF: the reply has the reason
			return nil, v1ErrorFrom(err)
		}
	}
	reply, err := stream.CloseAndRecv()
	if err != nil {
		return nil, v1ErrorFrom(err)
	}
	var problems []DocumentProblem
	for _, w := range reply.GetProblems()[:min(len(reply.GetProblems()), MaxDocuments)] {
		problems = append(problems, DocumentProblem{Name: clean(w.GetName(), 100), Line: int(min(w.GetLine(), maxLimit)), Text: v1TextFrom(w.GetText())})
	}
	return problems, nil
}

// Shipped returns the documents that a plugin has by itself. Errors: as all methods;
// NotServed if the plugin is not made of documents.
func (c *Client) Shipped(ctx context.Context) ([]Document, error) {
	stream, err := c.v1.rpc.Shipped(ctx, &providerv1.ShippedRequest{})
	if err != nil {
		return nil, v1ErrorFrom(err)
	}
	var shipped []Document
	for {
		msg, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return shipped, nil
		}
		if err != nil {
			return nil, v1ErrorFrom(err)
		}
		document, err := v1DocumentFrom(msg.GetDocument())
		if err != nil || len(shipped) == MaxDocuments {
			return nil, &PluginError{Message: "the plugin ships a document that is too large, or too many"}
		}
		shipped = append(shipped, document)
	}
}

func v1Document(d Document) *providerv1.Document {
	return &providerv1.Document{Name: d.Name, Version: d.Version, Sum: d.Sum, Text: d.Text}
}

var errDocument = errors.New("no document of its sum")

// v1DocumentFrom reads a document and holds it against its sum.
func v1DocumentFrom(w *providerv1.Document) (Document, error) {
	d := Document{Name: clean(w.GetName(), 100), Version: clean(w.GetVersion(), 100), Sum: w.GetSum(), Text: w.GetText()}
	if len(d.Text) > MaxDocument || SumOf(d.Text) != d.Sum {
		return d, errDocument
	}
	return d, nil
}

// SumOf is what Document.Sum is for a text.
func SumOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
