package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// posted is the context of a form.
func posted(values url.Values) *gin.Context {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequest(http.MethodPost, "/", strings.NewReader(values.Encode()))
	c.Request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return c
}

func TestABoxIsTickedByItsLastValue(t *testing.T) {
	for _, test := range []struct {
		sent []string
		want bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"false"}, false},
		{[]string{"false", "true"}, true},
		{[]string{"true", "false"}, false},
		{[]string{"on"}, true},
		{[]string{"0"}, false},
		{[]string{"off"}, false},
		{[]string{"no"}, false},
	} {
		if got := ticked(posted(url.Values{"box": test.sent}), "box"); got != test.want {
			t.Errorf("a box that sends %q is ticked: %v, want %v", test.sent, got, test.want)
		}
	}
}

func TestAnOptionIsReadByItsType(t *testing.T) {
	c := posted(url.Values{
		"options.host": {"https://id.example"}, "options.strict": {"false", "true"}, "options.extra": {" a \n\n b\r\n"}, "options.password": {"typed"},
	})
	options := []provider.Option{
		{Name: "host"}, {Name: "strict", Type: provider.OptionBoolean}, {Name: "extra", Type: provider.OptionList}, {Name: "password", Secret: true}, {Name: "unsent"},
	}
	form := view.ServiceForm{Options: map[string]string{"unsent": "kept", "password": ""}}
	form.Provider.Options.Options = options
	readOptions(c, &form)
	if form.Options["password"] != "" {
		t.Errorf("the form repeats the secret %q", form.Options["password"])
	}
	want := []any{"https://id.example", true, []string{"a", "b"}, "typed", "kept"}
	for i, o := range options {
		got := optionValue(c, form, o)
		if list, is := want[i].([]string); is {
			if !slices.Equal(got.([]string), list) {
				t.Errorf("option %s is %q, want %q", o.Name, got, list)
			}
			continue
		}
		if got != want[i] {
			t.Errorf("option %s is %v, want %v", o.Name, got, want[i])
		}
	}
}

func TestTagsAreBounded(t *testing.T) {
	many := make([]string, 25)
	for i := range many {
		many[i] = "tag" + strconv.Itoa(i)
	}
	for _, test := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{" Prod, shop\tEU ,, ", []string{"prod", "shop", "eu"}},
		{strings.Repeat("x", 41) + " " + strings.Repeat("ж", 40), []string{strings.Repeat("ж", 40)}},
		{strings.Join(many, ","), many[:20]},
	} {
		if got := tagsOf(test.text); !slices.Equal(got, test.want) {
			t.Errorf("the tags of %q are %q, want %q", test.text, got, test.want)
		}
	}
}

func TestTextOfAStrangerIsCleaned(t *testing.T) {
	for _, test := range []struct{ text, lines, line string }{
		{"  a  b ", "a  b", "a b"},
		{"a\r\nb", "a\nb", "a b"},
		{"a\n\n\n\nb", "a\n\nb", "a b"},
		{"a\u202eb\x00c", "a b c", "a b c"},
		{"a\xffb", "ab", "ab"},
	} {
		if got := lines(test.text); got != test.lines {
			t.Errorf("the lines of %q are %q, want %q", test.text, got, test.lines)
		}
		if got := line(test.text); got != test.line {
			t.Errorf("the line of %q is %q, want %q", test.text, got, test.line)
		}
	}
}
