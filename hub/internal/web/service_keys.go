package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/keyring"
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/hub/internal/store/keydb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

func (p *servicePages) keyRoutes(in inside) {
	manage := in.may(access.ActManage)
	in.may(access.ActSee).GET("/services/:name/keys", p.serviceKeys)
	manage.POST("/services/:name/keys/:key/make", p.makeKey)
	manage.POST("/services/:name/keys/:key/import", p.importKey)
	manage.POST("/services/:name/keys/:key/remove", p.removeKey)
}

func (p *servicePages) open(in *gin.RouterGroup) { in.GET("/jwks/:service", p.publicKeys) }

// serviceKeys shows the keys that the hub keeps for a service.
func (p *servicePages) serviceKeys(c *gin.Context) {
	s, versions, err := p.services.Keys(c.Request.Context(), c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.render(c, http.StatusOK, page.ServiceKeys(p.shell(c, view.SectionServices), p.serviceKeysView(s, versions, time.Now())))
}

func (p *servicePages) serviceKeysView(s service.Service, versions []keydb.Key, now time.Time) view.ServiceKeys {
	v := view.ServiceKeys{Name: s.Name, Title: s.Title, JWKS: p.publicURL + "/jwks/" + url.PathEscape(s.Name)}
	for _, d := range s.Description.Keys {
		own := slices.DeleteFunc(slices.Clone(versions), func(k keydb.Key) bool { return k.Name != d.Name })
		v.Keys = append(v.Keys, serviceKeyView(d, own, now))
	}
	return v
}

func serviceKeyView(d provider.Key, versions []keydb.Key, now time.Time) view.ServiceKey {
	v := view.ServiceKey{Declared: d, MayMake: d.Origin != provider.KeyImported, MayImport: d.Origin != provider.KeyFromHub}
	used, _ := keyring.InUse(versions, now)
	for _, k := range versions {
		state := view.KeyReplaced
		switch {
		case k.KeyID == used.KeyID && k.Serial == used.Serial:
			state = view.KeyInUse
		case k.UsedFrom.After(now):
			state = view.KeyNext
		}
		version := view.KeyVersion{
			KeyID: k.KeyID, Algorithm: k.Algorithm, State: state, Imported: k.Origin == provider.KeyImported,
			CreatedAt: k.CreatedAt, UsedFrom: k.UsedFrom, EndsAt: k.EndsAt, Certificate: k.Certificate,
		}
		if state == view.KeyInUse {
			version.Ended, version.Near = view.EndOf(k.EndsAt, now)
		}
		v.Versions = append(v.Versions, version)
	}
	return v
}

func (p *servicePages) makeKey(c *gin.Context) {
	_, err := p.services.MakeKey(c.Request.Context(), c.Param("name"), c.Param("key"))
	p.keyChanged(c, "flash.key_made", err)
}

func (p *servicePages) importKey(c *gin.Context) {
	_, err := p.services.ImportKey(c.Request.Context(), c.Param("name"), c.Param("key"), c.PostForm("private_key"))
	p.keyChanged(c, "flash.key_imported", err)
}

func (p *servicePages) removeKey(c *gin.Context) {
	p.keyChanged(c, "flash.key_removed", p.services.RemoveKey(c.Request.Context(), c.Param("name"), c.Param("key"), c.PostForm("kid")))
}

// keyChanged goes back to the keys and reports what came of a change.
func (p *servicePages) keyChanged(c *gin.Context, done string, err error) {
	flash := view.Flash{Key: done, Name: c.Param("key")}
	if invalid, ok := errors.AsType[*keyring.InvalidError](err); ok {
		flash, err = view.Flash{Key: "flash.key_" + string(invalid.Reason), Name: c.Param("key"), Bad: true}, nil
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, flash)
	back(c, "/services/"+url.PathEscape(c.Param("name"))+"/keys")
}

// publicKeys serves the public parts of a service's keys (RFC 7517), for anybody.
func (p *servicePages) publicKeys(c *gin.Context) {
	set, err := p.services.PublicKeys(c.Request.Context(), c.Param("service"))
	if err != nil {
		p.fail(c, err)
		return
	}
	c.Header("Cache-Control", "public, max-age=300")
	c.JSON(http.StatusOK, set)
}
