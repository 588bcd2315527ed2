package definition

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// whole is a small document without a fault.
const whole = `definition: 1
name: acme
version: 2026-12-01
title: { en: Acme, ru: Акме }
authorization:
  url: https://acme.example/authorize
token:
  url: https://acme.example/token
renewal:
  auto: refresh_token
  rotation: rotates
evidence:
  token: { kind: vendor, source: "https://acme.example/docs", read: 2026-11-30 }
  renewal: { kind: recorded, source: a reply of the sandbox, read: 2026-11-30 }
`

func TestADocumentIsRead(t *testing.T) {
	t.Parallel()
	d, err := Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	described := d.Describe()
	if described.Name != "acme" || described.Title.RU != "Акме" || len(described.Hosts) != 1 || !described.Hosts[0].ClientSecret || !d.Proven() {
		t.Errorf("%+v", described)
	}
}

// Each problem has the line on which it is mended, and says in both languages what to write.
func TestAProblemHasItsLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		from, to string
		line     int
		want     string
	}{
		"a typing error":            {"title:", "titel:", 4, `There is no field "titel" here`},
		"a field that is missing":   {"title: { en: Acme, ru: Акме }\n", "", 1, "Add title."},
		"one language":              {"ru: Акме", "", 4, "Add ru."},
		"another word":              {"auto: refresh_token", "auto: refresh", 10, "Write one of: none, refresh_token, prolong"},
		"another type":              {"name: acme", "name: [acme]", 2, "it is array"},
		"a bad name":                {"name: acme", "name: Acme Inc", 2, "This is not written as it has to be"},
		"no such placeholder":       {"/token\nrenewal", "/{tenant}/token\nrenewal", 8, "There is no placeholder {tenant}."},
		"no such option":            {"https://acme.example/token", "https://acme.example/{option:tenant}/token", 8, `There is no option "tenant".`},
		"nothing keeps it":          {"https://acme.example/token", "https://acme.example/{private:tenant}/token", 8, `Nothing keeps "tenant"`},
		"a host of a callback":      {"https://acme.example/token", "https://{callback:host}/token", 8, "Name the hosts that this may become under hosts"},
		"a fact without evidence":   {"  rotation: rotates", "  rotation: rotates\nlifetimes:\n  access_token: 60m", 13, "has no evidence: add it under evidence, as lifetimes.access_token"},
		"evidence of nothing":       {"evidence:\n", "evidence:\n  lifetimes: { kind: vendor }\n", 13, "There is no fact lifetimes in this document."},
		"evidence without a source": {`source: "https://acme.example/docs", `, "", 13, "Add source and read"},
		"one of two sources":        {"kind: vendor", "kind: two-sources", 13, "Add the second source"},
		"a vendor without a page":   {`"https://acme.example/docs"`, "their manual", 13, "The source of the vendor is an https address."},
		"not verified, and no word": {"kind: recorded, source: a reply of the sandbox, read: 2026-11-30", "kind: unverified", 14, "Add a note for the administrator"},
		"a bad time span":           {"  rotation: rotates", "  rotation: rotates\n  margin: soon", 12, "This is not written as it has to be"},
		"a grace without its time":  {"rotation: rotates", "rotation: rotates_with_grace", 11, "Add grace"},
		"an exchange of nothing":    {"auto: refresh_token", "auto: exchange", 10, "Say in token.refresh_form"},
		"an error that fits all":    {"evidence:\n", "errors:\n  - means: blocked\nevidence:\n  errors: { kind: recorded, source: seen, read: 2026-11-30 }\n", 13, "Say by status, code or text when it fits."},
		"a name twice":              {"name: acme\n", "name: acme\nname: other\n", 3, `"name" is here twice`},
		"an anchor":                 {"name: acme", "name: &n acme\nsummary: *n", 3, "Anchors and aliases are not supported"},
		"nothing obtains tokens":    {"authorization:\n  url: https://acme.example/authorize\n", "", 1, "Nothing obtains tokens"},
		"no YAML":                   {"title: { en: Acme", "title: { en: Acme: x", 4, "This is not YAML that can be read"},
		"no format":                 {"definition: 1", "definition: 2", 1, "This does not fit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			document := strings.Replace(whole, c.from, c.to, 1)
			if document == whole {
				t.Fatal("the document was not changed")
			}
			_, err := Parse([]byte(document))
			problems, ok := errors.AsType[ParseErrors](err)
			if !ok {
				t.Fatalf("it was taken: %v", err)
			}
			if !slices.ContainsFunc(problems, func(p Problem) bool {
				return p.Line == c.line && strings.Contains(p.Text.EN, c.want) && p.Text.RU != ""
			}) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestADocumentThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	for name, document := range map[string]string{
		"empty": "", "a text": "hello", "a list": "- a", "binary": "\x00\x01", "too large": strings.Repeat("# a comment\n", MaxSize/12+1),
		"too deep": "x: " + strings.Repeat("[", 100) + strings.Repeat("]", 100), "a bomb": "a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]",
	} {
		if _, err := Parse([]byte(document)); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// The schema and the types of this package name the same fields.
func TestTheSchemaIsThatOfTheTypes(t *testing.T) {
	t.Parallel()
	var schema map[string]any
	if err := yaml.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	defs, _ := schema["$defs"].(map[string]any)
	var compare func(path string, typ reflect.Type, s map[string]any)
	compare = func(path string, typ reflect.Type, s map[string]any) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		if ref, ok := s["$ref"].(string); ok {
			s, _ = defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
		}
		if items, ok := s["items"].(map[string]any); ok {
			compare(path, typ, items)
			return
		}
		properties, ok := s["properties"].(map[string]any)
		if typ.Kind() != reflect.Struct || !ok {
			return
		}
		seen := map[string]bool{}
		for _, f := range fieldsOf(typ) {
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			property, there := properties[name].(map[string]any)
			if !there {
				t.Errorf("the schema does not have %s.%s", path, name)
				continue
			}
			seen[name] = true
			compare(path+"."+name, f.Type, property)
		}
		for name := range properties {
			if !seen[name] {
				t.Errorf("no type has %s.%s", path, name)
			}
		}
	}
	compare("", reflect.TypeFor[Definition](), schema)
}

// fieldsOf are the exported fields of a struct, those of embedded ones among them.
func fieldsOf(typ reflect.Type) (fields []reflect.StructField) {
	for _, f := range reflect.VisibleFields(typ) {
		if f.IsExported() && !f.Anonymous {
			fields = append(fields, f)
		}
	}
	return fields
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("definition: 1\nname: [")
	f.Fuzz(func(t *testing.T, document string) {
		d, err := Parse([]byte(document))
		if err == nil {
			if err := d.Describe().Validate(); err != nil {
				t.Errorf("a document was taken whose description is not: %v", err)
			}
			return
		}
		problems, ok := errors.AsType[ParseErrors](err)
		if !ok || len(problems) == 0 || problems[0].Line < 1 {
			t.Errorf("%T: %v", err, err)
		}
	})
}
