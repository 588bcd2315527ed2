package providerplugin

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/sdk/provider"
)

func textual(name, text string) Document {
	return Document{Name: name, Version: "1", Sum: SumOf([]byte(text)), Text: []byte(text)}
}

func ofText(d Document) (provider.Provider, []DocumentProblem) {
	switch string(d.Text) {
	case "mistake":
		return nil, []DocumentProblem{{Name: d.Name, Line: 3, Text: provider.Text{EN: "Mend it.", RU: "Исправьте."}}}
	case "other name":
		return asking{"other"}, nil
	}
	return asking{d.Name}, nil
}

func served(t *testing.T, c *Client) (names []string) {
	t.Helper()
	info, err := c.Describe(t.Context())
	if err != nil || !info.Documents {
		t.Fatalf("%+v: %v", info, err)
	}
	for _, d := range info.Descriptions {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return names
}

func TestAPluginServesTheDocumentsThatItIsHanded(t *testing.T) {
	shipped := []Document{textual("beta", "shipped"), textual("gamma", "shipped")}
	client, stop, err := InProcessWith(ServeConfig{Providers: []provider.Provider{asking{"own"}}, Documents: &Documents{Shipped: shipped, Provider: ofText}}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if got := strings.Join(served(t, client), " "); got != "beta gamma own" {
		t.Errorf("before anything is handed over: %s", got)
	}
	problems, err := client.Load(t.Context(), []Document{textual("acme", "x"), textual("beta", "mistake"), textual("delta", "other name"), textual("draft.acme", "x")})
	if err != nil || len(problems) != 2 || problems[0] != (DocumentProblem{"beta", 3, provider.Text{EN: "Mend it.", RU: "Исправьте."}}) || problems[1].Name != "delta" {
		t.Errorf("problems %+v: %v", problems, err)
	}
	if got := strings.Join(served(t, client), " "); got != "acme beta draft.acme gamma own" {
		t.Errorf("served are %s", got)
	}
	if _, err := client.Load(t.Context(), nil); err != nil || strings.Join(served(t, client), " ") != "beta gamma own" {
		t.Errorf("an empty set: %v", err)
	}
	got, err := client.Shipped(t.Context())
	if err != nil || len(got) != 2 || got[0].Name != "beta" || string(got[0].Text) != "shipped" || got[0].Sum != shipped[0].Sum {
		t.Errorf("shipped are %+v: %v", got, err)
	}
	forged := textual("acme", "x")
	forged.Text = []byte("y")
	if _, err := client.Load(t.Context(), []Document{forged}); err == nil {
		t.Error("a text of another sum was taken")
	}
	if _, err := client.Load(t.Context(), []Document{textual("acme", strings.Repeat("x", MaxDocument+1))}); err == nil {
		t.Error("a document that is too large was taken")
	}
}

func TestAnOrdinaryPluginTakesNoDocuments(t *testing.T) {
	client, info, err := described(t, ServeConfig{}, Limits{})
	if err != nil || info.Documents {
		t.Fatalf("%+v: %v", info, err)
	}
	_, err = client.Load(t.Context(), []Document{textual("acme", "x")})
	_, also := client.Shipped(t.Context())
	for _, err := range []error{err, also} {
		if failure, ok := errors.AsType[*PluginError](err); !ok || !failure.NotServed {
			t.Errorf("%v", err)
		}
	}
}

func TestAPluginWhoseOwnDocumentIsWrongDoesNotStart(t *testing.T) {
	_, _, err := InProcessWith(ServeConfig{Documents: &Documents{Shipped: []Document{textual("beta", "mistake")}, Provider: ofText}}, Limits{})
	if err == nil || !strings.Contains(err.Error(), "beta, line 3: Mend it.") {
		t.Errorf("%v", err)
	}
}
