package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/tokensource"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// codesMinTTL is the life that copied access codes have left at least.
const codesMinTTL = time.Minute

// codes shows the access codes because somebody asked, or hands them over as a
// file. It takes POST alone: nothing that is linked to shows a token.
func (p *Pages) codes(c *gin.Context) {
	conn, s, ok := p.find(c)
	if !ok {
		return
	}
	v := view.AccessCodes{
		Connection:       view.ConnectionRowOf(conn, p.serviceRef(s), time.Now()),
		WithRefreshToken: ticked(c, "refresh_token"),
	}
	pulled, err := p.o.Source.Serve(c.Request.Context(), conn, codesMinTTL, tokensource.UsualWait)
	if refused, is := errors.AsType[*tokensource.RefusedError](err); is {
		v.Refused = &view.Trouble{Kind: refused.Kind, Message: refused.Message}
		p.render(c, http.StatusConflict, page.AccessCodes(p.shell(c, view.SectionConnections), v))
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	document, err := json.MarshalIndent(pulled.Connection.Codes(time.Now(), s.Provider, s.ClientID, v.WithRefreshToken), "", "  ") //nolint:gosec // G117: the codes are what was asked for
	if err != nil {
		p.fail(c, err)
		return
	}
	p.o.Logger.Info("access codes were shown", "connection", conn.Name, "with_refresh_token", v.WithRefreshToken)
	if strings.HasSuffix(c.Request.URL.Path, ".json") {
		c.Header("Cache-Control", "no-store")
		c.Header("Content-Disposition", `attachment; filename="`+conn.Name+`.json"`)
		c.Data(http.StatusOK, "application/json", append(document, '\n'))
		return
	}
	v.JSON = string(document)
	p.render(c, http.StatusOK, page.AccessCodes(p.shell(c, view.SectionConnections), v))
}
