package e2e_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evergrant/evergrant/hub/test/hubtest"
)

type openAPI struct {
	Tags []struct{ Name, Description string } `json:"tags"`
	Info struct {
		License struct{ Name string }      `json:"license"`
		Contact struct{ Name, URL string } `json:"contact"`
	} `json:"info"`
	Paths      map[string]map[string]openAPIOperation `json:"paths"`
	Components struct {
		Schemas map[string]json.RawMessage `json:"schemas"`
	} `json:"components"`
}

type openAPIOperation struct {
	OperationID string                                   `json:"operationId"`
	Summary     string                                   `json:"summary"`
	Description string                                   `json:"description"`
	Tags        []string                                 `json:"tags"`
	Parameters  []struct{ Name, In, Description string } `json:"parameters"`
	Responses   map[string]struct{ Description string }  `json:"responses"`
}

// What linters of OpenAPI documents refuse: names that no tool can use, groups that are not
// declared, operations, parameters and answers without a word.
func TestTheOpenAPIDocumentIsWhole(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	var doc openAPI
	(&hubtest.Client{Base: r.Hub.URL()}).Must(t, "GET", "/api/v1/openapi.json", nil, &doc)
	if doc.Info.License.Name == "" || doc.Info.Contact.Name == "" || doc.Info.Contact.URL == "" {
		t.Errorf("license %+v, contact %+v", doc.Info.License, doc.Info.Contact)
	}
	var declared []string
	for _, tag := range doc.Tags {
		if declared = append(declared, tag.Name); tag.Description == "" {
			t.Errorf("the tag %s has no description", tag.Name)
		}
	}
	name := regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	for schema := range doc.Components.Schemas {
		if !name.MatchString(schema) {
			t.Errorf("the schema %q has a name that references cannot hold", schema)
		}
	}
	ids, used := map[string]string{}, map[string]bool{}
	for path, operations := range doc.Paths {
		for method, op := range operations {
			at := strings.ToUpper(method) + " " + path
			if other := ids[op.OperationID]; op.OperationID == "" || other != "" {
				t.Errorf("%s has the id %q, as %q has", at, op.OperationID, other)
			}
			ids[op.OperationID] = at
			if op.Summary == "" || op.Description == "" || len(op.Tags) != 1 || !slices.Contains(declared, op.Tags[0]) {
				t.Errorf("%s: summary %q, description %q, tags %v", at, op.Summary, op.Description, op.Tags)
			}
			for _, tag := range op.Tags {
				used[tag] = true
			}
			wellSaid(t, at, path, op)
		}
	}
	for _, tag := range declared {
		if !used[tag] {
			t.Errorf("nothing has the tag %s", tag)
		}
	}
}

func wellSaid(t *testing.T, at, path string, op openAPIOperation) {
	t.Helper()
	succeeds := false
	for status, reply := range op.Responses {
		succeeds = succeeds || status[0] == '2'
		if reply.Description == "" {
			t.Errorf("%s: %s has no description", at, status)
		}
	}
	if !succeeds {
		t.Errorf("%s has no answer that is a success", at)
	}
	for _, p := range op.Parameters {
		if p.In == "path" && !strings.Contains(path, "{"+p.Name+"}") {
			t.Errorf("%s has no %s in its path", at, p.Name)
		}
	}
}

// The document and the router name the same operations, and those beside the API.
func TestTheOpenAPIDocumentNamesWhatIsServed(t *testing.T) {
	t.Parallel()
	r := hubtest.StartHub(t, nil)
	var doc openAPI
	(&hubtest.Client{Base: r.Hub.URL()}).Must(t, "GET", "/api/v1/openapi.json", nil, &doc)
	param := regexp.MustCompile(`:([a-z0-9_]+)`)
	served := map[string]bool{}
	for _, route := range r.Hub.Routes() {
		if strings.HasPrefix(route.Path, "/api/v1/openapi") || !strings.HasPrefix(route.Path, "/api/") && !slices.Contains([]string{"/healthz", "/readyz", "/metrics"}, route.Path) {
			continue
		}
		served[route.Method+" "+param.ReplaceAllString(route.Path, "{$1}")] = true
	}
	for path, operations := range doc.Paths {
		for method := range operations {
			at := strings.ToUpper(method) + " " + path
			if !served[at] {
				t.Errorf("%s is in the document and not served", at)
			}
			delete(served, at)
		}
	}
	for at := range served {
		t.Errorf("%s is served and not in the document", at)
	}
}
