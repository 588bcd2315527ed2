package providerplugin

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/descriptorpb"

	providerv1 "github.com/evergrant/evergrant/sdk/proto/evergrant/provider/v1"
	"github.com/evergrant/evergrant/sdk/provider"
)

// asking makes as many requests, with as large a body, as the current tokens say.
type asking struct{ name string }

func (a asking) Describe(context.Context) (*provider.Description, error) {
	return &provider.Description{
		Name: a.name, Title: provider.Text{EN: "Asking"}, AutoRenew: provider.AutoRenewRefreshToken, PKCE: provider.PKCENone,
		Hosts: []provider.Host{{Pattern: "acme.example"}},
	}, nil
}

func (asking) Refresh(ctx context.Context, req *provider.RefreshRequest) (*provider.Token, error) {
	requests, _ := strconv.Atoi(req.Current.AccessToken)
	size, _ := strconv.Atoi(req.Current.RefreshToken)
	var last int
	for range requests {
		ask, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://acme.example/token", bytes.NewReader(make([]byte, size)))
		if err != nil {
			return nil, err
		}
		reply, err := req.HTTP.Do(ask)
		if err != nil {
			return nil, provider.Errorf(provider.Blocked, "", "%v", err)
		}
		body, err := io.ReadAll(reply.Body)
		if err != nil {
			return nil, err
		}
		_ = reply.Body.Close()
		last = len(body)
	}
	return &provider.Token{AccessToken: strconv.Itoa(last)}, nil
}

// sized answers with bodies of a size, whatever is granted.
type sized int

func (s sized) RoundTrip(context.Context, int, *HTTPRequest) (*HTTPResponse, error) {
	return &HTTPResponse{Status: http.StatusOK, Body: make([]byte, s)}, nil
}

func (sized) Sign(context.Context, int, *SignRequest) (string, error) {
	return "", errors.New("nothing is signed here")
}

func described(t *testing.T, config ServeConfig, most Limits) (*Client, *PluginInfo, error) {
	t.Helper()
	if config.Providers == nil {
		config.Providers = []provider.Provider{asking{"acme"}}
	}
	client, stop, err := InProcessWith(config, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	info, err := client.Describe(t.Context())
	return client, info, err
}

func TestAPluginThatNeedsWhatThisHubLacksIsRefusedByName(t *testing.T) {
	for name, c := range map[string]struct {
		config ServeConfig
		want   []string
	}{
		"a feature":  {ServeConfig{Needs: []string{"telepathy"}}, []string{"needs the feature telepathy, which this hub does not have: update the hub"}},
		"features":   {ServeConfig{Needs: []string{FeatureLimits, "time-travel", "telepathy"}}, []string{"needs the features telepathy, time-travel, which"}},
		"a revision": {ServeConfig{MinimumContract: Contract + 1}, []string{"needs revision 2 of the provider contract, this hub speaks 1: update the hub"}},
		"steps":      {ServeConfig{Limits: Limits{Steps: 33}}, []string{"asks for 33 requests in one operation, where this hub grants 32 (plugins.max_steps): raise"}},
		"everything": {ServeConfig{Needs: []string{"telepathy"}, MinimumContract: 7, Limits: Limits{BodyBytes: 8 << 20, MessageBytes: 9 << 20}},
			[]string{"revision 7", "telepathy", "bodies of 8192 KiB, where this hub grants 4096 (plugins.max_body_kib)", "messages of 9216 KiB"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := described(t, c.config, Limits{Steps: 32, BodyBytes: 4 << 20})
			unfit, ok := errors.AsType[*UnfitError](err)
			if !ok {
				t.Fatalf("described: %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(unfit.Error(), want) {
					t.Errorf("%q lacks %q", unfit, want)
				}
			}
		})
	}
}

func TestAPluginIsToldWhatFollowsFromWhatItServes(t *testing.T) {
	_, info, err := described(t, ServeConfig{Providers: []provider.Provider{asking{"acme.crm"}}, Limits: Limits{Steps: 12}}, Limits{Steps: 12})
	want := Requirements{Needs: []string{FeatureLimits, FeaturePublisherNames}, MinimumContract: 1, Limits: Limits{Steps: 12}.Filled()}
	if err != nil || !reflect.DeepEqual(info.Requirements, want) {
		t.Errorf("%+v: %v", info, err)
	}
	_, info, err = described(t, ServeConfig{}, Limits{})
	if want := (Requirements{MinimumContract: 1, Limits: Limits{}.Filled()}); err != nil || !reflect.DeepEqual(info.Requirements, want) {
		t.Errorf("%+v: %v", info, err)
	}
}

// keeping is asking with keys that the hub is to keep.
type keeping struct {
	asking
	keys []provider.Key
}

func (k keeping) Describe(ctx context.Context) (*provider.Description, error) {
	d, err := k.asking.Describe(ctx)
	d.Keys = k.keys
	return d, err
}

func TestAPluginWhoseKeysTheHubIsToKeepNeedsThat(t *testing.T) {
	title, signs := provider.Text{EN: "Key"}, []string{"ES256"}
	sign := provider.Key{Name: "sign", Use: provider.KeySignature, Title: title, Algorithms: signs}
	optional := sign
	optional.Optional = true
	for name, c := range map[string]struct {
		keys []provider.Key
		want []string
	}{
		"none":        {nil, nil},
		"optional":    {[]provider.Key{optional}, nil},
		"a signature": {[]provider.Key{sign}, []string{FeatureSign}},
		"all": {[]provider.Key{
			sign, {Name: "certificate", Use: provider.KeyClientCertificate, Title: title}, {Name: "proof", Use: provider.KeyDPoP, Title: title, Algorithms: signs},
		}, []string{FeatureClientCertificates, FeatureDPoP, FeatureSign}},
	} {
		_, info, err := described(t, ServeConfig{Providers: []provider.Provider{keeping{asking{"acme"}, c.keys}}}, Limits{})
		if err != nil || !reflect.DeepEqual(info.Requirements.Needs, c.want) {
			t.Errorf("%s: it needs %v, %v", name, info, err)
		}
	}
	if !slices.IsSorted(Features()) {
		t.Errorf("the features are not sorted: %v", Features())
	}
}

func TestAnOperationHasWhatWasGrantedAndNoMore(t *testing.T) {
	asks := ServeConfig{Limits: Limits{Steps: 10, BodyBytes: 3 << 20}}
	for name, c := range map[string]struct {
		config          ServeConfig
		undescribed     bool
		requests, sends int
		answers         int
		want            string
	}{
		"the contract's own":         {requests: 8, sends: 512 << 10, answers: 512 << 10},
		"a ninth request":            {requests: 9, want: "made 8 requests, more are not granted"},
		"a byte too many":            {requests: 1, sends: 512<<10 + 1, want: "larger than the 524288 bytes that are granted"},
		"a reply too large":          {requests: 1, answers: 512<<10 + 1, want: "answered with more than 512 KiB"},
		"what was asked for":         {config: asks, requests: 10, sends: 3 << 20, answers: 3 << 20},
		"more requests than that":    {config: asks, requests: 11, want: "made 10 requests"},
		"a larger body than that":    {config: asks, requests: 1, sends: 3<<20 + 1, want: "larger than the 3145728 bytes"},
		"a larger reply than that":   {config: asks, requests: 1, answers: 3<<20 + 1, want: "answered with more than 3072 KiB"},
		"before it described itself": {config: asks, undescribed: true, requests: 9, want: "made 8 requests"},
	} {
		t.Run(name, func(t *testing.T) {
			c.config.Providers = []provider.Provider{asking{"acme"}}
			client, stop, err := InProcessWith(c.config, Limits{Steps: 32, BodyBytes: 4 << 20})
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			if !c.undescribed {
				if _, err := client.Describe(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			req := &provider.RefreshRequest{
				Call:    provider.Call{Service: provider.Service{Name: "s"}, Now: time.Unix(1e9, 0)},
				Current: provider.Token{AccessToken: strconv.Itoa(c.requests), RefreshToken: strconv.Itoa(c.sends)},
			}
			token, err := client.Refresh(t.Context(), sized(c.answers), "acme", req)
			if c.want == "" && (err != nil || token.AccessToken != strconv.Itoa(c.answers)) {
				t.Errorf("%v, %v", token, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, %v", token, err)
			}
		})
	}
}

// A plugin that does not keep to what was granted is stopped by the hub's own end.
func TestTheHubsEndHoldsAPluginToWhatWasGranted(t *testing.T) {
	limits := Limits{Steps: 2, BodyBytes: 10}.Filled()
	for name, c := range map[string]struct {
		step int
		body string
		want string
	}{
		"a third request": {step: 2, want: "more than 2 requests in one operation"},
		"a large body":    {body: strings.Repeat("x", 11), want: "sent a body of"},
	} {
		_, err := v1Step(t.Context(), sized(0), c.step, wireRequest(c.step, c.body), limits)
		if _, ok := errors.AsType[*PluginError](err); !ok || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	reply, err := v1Step(t.Context(), sized(11), 0, wireRequest(0, ""), limits)
	if err != nil || !reply.GetHttpResponse().GetFailure().GetWritten() {
		t.Errorf("a reply that is too large: %v, %v", reply, err)
	}
}

// fileOptions are files with options, by JSON: the fields that are deprecated are so in Go.
func fileOptions(t *testing.T, options ...string) *descriptorpb.FileDescriptorSet {
	t.Helper()
	set := &descriptorpb.FileDescriptorSet{}
	for _, text := range options {
		o := &descriptorpb.FileOptions{}
		if err := protojson.Unmarshal([]byte(text), o); err != nil {
			t.Fatal(err)
		}
		set.File = append(set.File, &descriptorpb.FileDescriptorProto{Options: o})
	}
	return set
}

func TestDeprecatedFieldsThatAreUsedAreNamed(t *testing.T) {
	old := fileOptions(t, `{"javaGenerateEqualsAndHash":true,"javaPackage":"x"}`, `{"javaGenerateEqualsAndHash":true}`)
	if got := deprecatedFields(old.ProtoReflect()); !reflect.DeepEqual(got, []string{"google.protobuf.FileOptions.java_generate_equals_and_hash"}) {
		t.Errorf("%q", got)
	}
	old.File = []*descriptorpb.FileDescriptorProto{{Options: &descriptorpb.FileOptions{JavaPackage: new("x")}}}
	if got := deprecatedFields(old.ProtoReflect()); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

func wireRequest(step int, body string) *providerv1.OperateResponse {
	return &providerv1.OperateResponse{Message: &providerv1.OperateResponse_HttpRequest{HttpRequest: &providerv1.HttpRequest{Step: uint32(step), Method: http.MethodPost, Url: "https://acme.example/token", Body: []byte(body)}}}
}
