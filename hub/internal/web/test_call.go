package web

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/testcall"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// testCalled is the answer of a service to a test call, for the page that shows it.
type testCalled struct {
	Connection string
	view.TestAnswer
}

// testCall calls the service's API with the current token; the page of the connection
// shows the answer, once.
func (p *connectionPages) testCall(c *gin.Context) {
	answer, err := p.connections.Test(c.Request.Context(), which(c), c.PostForm("call"))
	v := &view.TestAnswer{}
	refused, isRefused := errors.AsType[*tokensource.RefusedError](err)
	switch {
	case isRefused:
		v.Failure = refused.Message
	case errors.Is(err, testcall.ErrUnknown):
		p.NotFound(c)
		return
	case err != nil:
		p.fail(c, err)
		return
	default:
		v = &view.TestAnswer{Call: answer.Call, Status: answer.Status, Failure: answer.Failure, Body: answer.Body, Cut: answer.Cut, Took: answer.Took}
	}
	if inPart(c) {
		p.showConnectionWith(c, http.StatusOK, func(shown *view.Connection) { shown.TestAnswer = v })
		return
	}
	if err := p.show(c, shownCall, testCalled{Connection: c.Param("name"), TestAnswer: *v}); err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/connections/"+url.PathEscape(c.Param("name"))+"#test-call")
}
