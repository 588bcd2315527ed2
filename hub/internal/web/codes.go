package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// codesMinTTL is the least remaining lifetime of copied access codes.
const codesMinTTL = time.Minute

// askedCodes notes in the session the connection whose access codes were requested: the page
// can be reloaded for a while, and no address that can be linked to shows a token.
type askedCodes struct {
	Connection       string
	WithRefreshToken bool
}

// askCodes notes the request for access codes and redirects to their page.
func (p *connectionPages) askCodes(c *gin.Context) {
	conn, _, ok := p.find(c)
	if !ok {
		return
	}
	_, err := p.connections.Codes(c.Request.Context(), which(c), codesMinTTL, ticked(c, "refresh_token"))
	if _, refused := errors.AsType[*tokensource.RefusedError](err); err != nil && !refused { // the page of the codes shows the reason
		p.fail(c, err)
		return
	}
	if err := p.show(c, shownCodes, askedCodes{Connection: conn.ID, WithRefreshToken: ticked(c, "refresh_token")}); err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/connections/"+url.PathEscape(conn.Name)+"/codes")
}

// codes shows the access codes if they were requested just now; otherwise it redirects to the
// connection, which has the button.
func (p *connectionPages) codes(c *gin.Context) {
	conn, s, ok := p.find(c)
	if !ok {
		return
	}
	asked, is := toShow[askedCodes](p.kit, c, shownCodes)
	if !is || asked.Connection != conn.ID {
		back(c, "/connections/"+url.PathEscape(conn.Name)+"#codes")
		return
	}
	v, status, ok := p.codesOf(c, conn, s, p.connections.CodesAgain, asked.WithRefreshToken)
	if ok {
		p.render(c, status, page.AccessCodes(p.shell(c, view.SectionConnections), v))
	}
}

// codesFile hands the access codes over as a file.
func (p *connectionPages) codesFile(c *gin.Context) {
	conn, s, ok := p.find(c)
	if !ok {
		return
	}
	v, status, ok := p.codesOf(c, conn, s, p.connections.Codes, ticked(c, "refresh_token"))
	switch {
	case !ok:
	case v.Refused != nil:
		p.render(c, status, page.AccessCodes(p.shell(c, view.SectionConnections), v))
	default:
		c.Header("Cache-Control", "no-store")
		c.Header("Content-Disposition", `attachment; filename="`+conn.Name+`.json"`)
		c.Data(http.StatusOK, "application/json", append([]byte(v.JSON), '\n'))
	}
}

// codesReader reads the access codes of a connection.
type codesReader func(ctx context.Context, w connections.Which, minTTL time.Duration, withRefreshToken bool) (connection.AccessCodes, error)

// codesOf reads the access codes, renewing the token if it would not last; false if the
// page of a failure was shown.
func (p *connectionPages) codesOf(c *gin.Context, conn connection.Connection, s service.Service, read codesReader, withRefreshToken bool) (v view.AccessCodes, status int, ok bool) {
	v = view.AccessCodes{Connection: view.ConnectionRowOf(conn, p.serviceRef(s), time.Now()), WithRefreshToken: withRefreshToken}
	codes, err := read(c.Request.Context(), which(c), codesMinTTL, withRefreshToken)
	if refused, is := errors.AsType[*tokensource.RefusedError](err); is {
		v.Refused = &view.Trouble{Kind: refused.Kind, Message: refused.Message}
		return v, http.StatusConflict, true
	}
	var document []byte
	if err == nil {
		document, err = json.MarshalIndent(codes, "", "  ")
	}
	if err != nil {
		p.fail(c, err)
		return v, 0, false
	}
	v.JSON, v.Fields = string(document), view.CodeFieldsOf(document)
	return v, http.StatusOK, true
}
