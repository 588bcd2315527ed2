package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// questions are the forms that are answered with a page, because nothing has been done:
// reloading that page is safe. All others redirect to a page that can be reloaded without
// repeating the act.
var questions = []string{
	"/bulk",                         // how many it concerns, and whether that is meant
	"/restored/behind",              // the same, for a decision after a restore
	"/services/new/:provider/check", // whether a service accepts what was entered; its secrets are in the form alone
	"/services/:name/check",
	"/escalation/texts",     // how a text that is not saved would look
	"/new-definition/check", // the problems of a document
	"/keys/pick",            // what a search finds, with what was entered
}

// watchForms logs forms that were carried out and answered with a page: reloading it would
// repeat the act.
func (g *gate) watchForms(c *gin.Context) {
	c.Next()
	if c.Request.Method != http.MethodPost || c.Writer.Status() != http.StatusOK || inPart(c) || slices.Contains(questions, c.FullPath()) {
		return
	}
	if strings.HasPrefix(c.Writer.Header().Get("Content-Type"), "text/html") {
		g.logger.Error("form answered without a redirect, reloading the page repeats it", "route", c.FullPath())
	}
}

// inPart reports whether a request was made by htmx for a part of a page. The page stays the
// one that was opened, so reloading it repeats nothing.
func inPart(c *gin.Context) bool { return c.GetHeader("HX-Request") != "" }
