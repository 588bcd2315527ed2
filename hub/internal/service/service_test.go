package service_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/internal/service"
)

func TestSecretsAreNeverPrinted(t *testing.T) {
	s := service.Service{
		Name: "portal", Provider: "bitrix24", ClientID: "app.1", ClientSecret: "client-secret",
		Options: map[string]any{"password": "option-secret"}, Data: []byte("data-secret"),
	}
	var out bytes.Buffer
	slog.New(slog.NewTextHandler(&out, nil)).Info("added", "service", s, "pointer", &s)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
	}
	if strings.Contains(out.String(), "secret") {
		t.Fatalf("a secret was printed:\n%s", out.String())
	}
	if !strings.Contains(out.String(), "portal") {
		t.Fatalf("the name was not printed:\n%s", out.String())
	}
}

func TestProviderGetsItsOwnCopy(t *testing.T) {
	s := service.Service{Name: "portal", ClientSecret: "x", Scopes: []string{"crm"}, Options: map[string]any{"a": int64(1)}, Data: []byte{1}}
	p := s.ForProvider()
	p.Scopes[0], p.Options["a"], p.Data[0] = "changed", int64(2), 2
	if s.Scopes[0] != "crm" || s.Options["a"] != int64(1) || s.Data[0] != 1 {
		t.Fatalf("the service was changed: %v %v %v", s.Scopes, s.Options, s.Data)
	}
	if p.Name != "portal" || p.ClientSecret != "x" {
		t.Fatal("name or secret is missing")
	}
}
