package web

import (
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// ticked reads a box of a form; every box is read here. Of several values the last
// one counts: ui.Field sends a hidden "false" before the box's own "true", so that
// an empty box differs from one that was not in the form. A box that was not sent is not
// ticked.
func ticked(c *gin.Context, name string) bool {
	values := c.PostFormArray(name)
	if len(values) == 0 {
		return false
	}
	switch values[len(values)-1] {
	case "", "false", "no", "off", "0":
		return false
	}
	return true
}

// readOptions takes the options that were sent; the others keep what the form was
// opened with. Secrets stay out of it.
func readOptions(c *gin.Context, form *view.ServiceForm) {
	for _, o := range form.Provider.Options.Options {
		field := "options." + o.Name
		text, sent := c.GetPostForm(field)
		switch {
		case o.Secret || !sent:
		case o.Type == provider.OptionBoolean:
			form.Options[o.Name] = strconv.FormatBool(ticked(c, field))
		default:
			form.Options[o.Name] = text
		}
	}
}

// optionValue converts the text of a field by the type of its option. Secrets are taken as
// typed: an empty one keeps the stored value.
func optionValue(c *gin.Context, form view.ServiceForm, o provider.Option) any {
	text := form.Options[o.Name]
	switch {
	case o.Secret:
		return c.PostForm("options." + o.Name)
	case o.Type == provider.OptionBoolean:
		return text == "true"
	case o.Type == provider.OptionList:
		return linesOf(text)
	default:
		return text
	}
}

// linesOf returns the entries of a list, one per line.
func linesOf(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
