package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/plugins"
	"github.com/evergrant/evergrant/hub/internal/catalogue"
	"github.com/evergrant/evergrant/hub/internal/installer"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// pluginPages install, pin and roll back plugins, and hold the keys that packages are signed by.
type pluginPages struct {
	*kit
	*directory
	plugins   *plugins.Plugins
	catalogue *catalogue.Catalogue
}

func newPluginPages(k *kit, d *directory, o Options) *pluginPages {
	return &pluginPages{kit: k, directory: d, plugins: o.Plugins, catalogue: o.Catalogue}
}

func (p *pluginPages) routes(in inside) {
	see, manage := in.may(access.ActSee), in.may(access.ActManage)
	see.GET("/plugins", p.list)
	see.GET("/plugins/:name", p.plugin)
	manage.POST("/plugins/:name/disable", p.pluginAct("flash.plugin_disabled", p.plugins.Disable))
	manage.POST("/plugins/:name/resume", p.pluginAct("flash.plugin_resumed", p.plugins.Resume))
	manage.POST("/plugins/:name/rollback", p.pluginAct("flash.plugin_rolled_back", p.plugins.Rollback))
	manage.POST("/plugins/:name/remove", p.pluginAct("flash.plugin_removed", p.plugins.Remove))
	manage.POST("/plugins/:name/pin", p.pluginAct("flash.plugin_pinned", p.plugins.Pin))
	manage.POST("/plugins/:name/unpin", p.pluginAct("flash.plugin_unpinned", p.plugins.Unpin))
	manage.POST("/plugin-packages", p.handIn)
	manage.POST("/plugin-packages/:sum/approve", p.packageAct("flash.package_approved", p.approvePackage))
	manage.POST("/plugin-packages/:sum/enable", p.packageAct("flash.package_enabled", p.enablePackage))
	manage.POST("/plugin-packages/:sum/discard", p.packageAct("flash.package_discarded", p.discardPackage))
	manage.POST("/plugin-keys", p.trustPluginKey)
	manage.POST("/plugin-keys/:id/revoke", p.revokePluginKey)
	in.may(access.ActConsent).POST("/plugin-names/:name/agree/:key", p.agreeKey)
}

func (p *pluginPages) list(c *gin.Context) { p.showPlugins(c, http.StatusOK, "") }

func (p *pluginPages) showPlugins(c *gin.Context, status int, problem string) {
	all, err := p.pluginViews(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	keys, err := p.plugins.Keys(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Plugins{Plugins: all, Problem: problem}
	for _, k := range keys {
		v.Keys = append(v.Keys, view.PluginKey{ID: k.ID, Title: k.Title, TrustedAt: k.TrustedAt, RevokedAt: k.RevokedAt})
	}
	p.render(c, status, page.Plugins(p.shell(c, view.SectionPlugins), v))
}

func (p *pluginPages) pluginViews(ctx context.Context) ([]view.Plugin, error) {
	plugins, err := p.plugins.List(ctx)
	if err != nil {
		return nil, err
	}
	views := make([]view.Plugin, 0, len(plugins))
	for _, plugin := range plugins {
		v := view.Plugin{Plugin: plugin}
		for _, name := range plugin.Status.Providers {
			title := provider.Text{EN: name}
			if d, ok := p.catalogue.Provider(name); ok {
				title = d.Title
			}
			v.Icons = append(v.Icons, view.Icon{URL: p.iconOf(name), Title: title.EN})
		}
		views = append(views, v)
	}
	return views, nil
}

func (p *pluginPages) plugin(c *gin.Context) {
	all, err := p.pluginViews(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, v := range all {
		if v.Name == c.Param("name") {
			v.Losses, _ = takeShown[view.PluginLosses](p.kit, c, shownLoses)
			p.render(c, http.StatusOK, page.Plugin(p.shell(c, view.SectionPlugins), v))
			return
		}
	}
	p.NotFound(c)
}

// handIn receives the file of a package.
func (p *pluginPages) handIn(c *gin.Context) {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, installer.MaxPackage+1<<20)
	file, _, err := c.Request.FormFile("package")
	if err != nil {
		p.showPlugins(c, http.StatusUnprocessableEntity, "the file did not arrive: "+err.Error())
		return
	}
	defer func() { _ = file.Close() }()
	pack, err := p.plugins.Stage(c.Request.Context(), io.Reader(file))
	if refused, ok := errors.AsType[*installer.RefusedError](err); ok {
		p.showPlugins(c, http.StatusUnprocessableEntity, refused.Message)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.package_taken", Name: pack.Name + " " + pack.Version})
	back(c, "/plugins/"+url.PathEscape(pack.Name))
}

// packageAct is an act on a version; it redirects to the page of its plugin.
func (p *pluginPages) packageAct(key string, act func(c *gin.Context, sum string) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		pack, err := p.plugins.Package(c.Request.Context(), c.Param("sum"))
		if err != nil {
			p.fail(c, err)
			return
		}
		p.acted(c, key, pack.Name, pack.Name+" "+pack.Version, act(c, pack.Sum))
	}
}

// pluginAct is an act on a plugin; it redirects to its page.
func (p *pluginPages) pluginAct(key string, act func(ctx context.Context, name string) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		name := c.Param("name")
		p.acted(c, key, name, name, act(c.Request.Context(), name))
	}
}

// acted reports the outcome of an act.
func (p *pluginPages) acted(c *gin.Context, key, plugin, what string, err error) {
	refused, isRefused := errors.AsType[*installer.RefusedError](err)
	switch {
	case isRefused:
		if refused.Code == installer.CodeLosses { // the page of the plugin has the confirmation
			if err := p.show(c, shownLoses, view.PluginLosses{Sum: refused.With, Said: refused.Message}); err != nil {
				p.fail(c, err)
				return
			}
		}
		p.flash(c, view.Flash{Key: "flash.plugin_refused", Name: what, Said: refused.Message, Bad: true})
	case errors.Is(err, store.ErrInUse):
		p.flash(c, view.Flash{Key: "flash.package_in_use", Name: what, Bad: true})
	case err != nil:
		p.fail(c, err)
		return
	default:
		p.flash(c, view.Flash{Key: key, Name: what})
	}
	target := "/plugins/" + url.PathEscape(plugin)
	if all, err := p.plugins.List(c.Request.Context()); err == nil && !hasPlugin(all, plugin) {
		target = "/plugins"
	}
	back(c, target)
}

func hasPlugin(all []installer.Plugin, name string) bool {
	for _, p := range all {
		if p.Name == name {
			return true
		}
	}
	return false
}

func (p *pluginPages) approvePackage(c *gin.Context, sum string) error {
	_, err := p.plugins.Approve(c.Request.Context(), sum, strings.ToLower(strings.TrimSpace(c.PostForm("confirm"))))
	return err
}

func (p *pluginPages) enablePackage(c *gin.Context, sum string) error {
	return p.plugins.Enable(c.Request.Context(), sum, installer.Consent{Downgrade: ticked(c, "downgrade"), Losses: ticked(c, "accept_losses")})
}

func (p *pluginPages) discardPackage(c *gin.Context, sum string) error {
	return p.plugins.Discard(c.Request.Context(), sum)
}

func (p *pluginPages) trustPluginKey(c *gin.Context) {
	k, err := p.plugins.Trust(c.Request.Context(), strings.TrimSpace(c.PostForm("title")), c.PostForm("public"))
	if refused, ok := errors.AsType[*installer.RefusedError](err); ok {
		p.showPlugins(c, http.StatusUnprocessableEntity, refused.Message)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.key_trusted", Name: k.Title})
	back(c, "/plugins")
}

// agreeKey ties a name of providers to another key; it redirects to the plugins.
func (p *pluginPages) agreeKey(c *gin.Context) {
	name := c.Param("name")
	err := p.plugins.AgreeKey(c.Request.Context(), name, c.Param("key"))
	refused, isRefused := errors.AsType[*installer.RefusedError](err)
	switch {
	case isRefused:
		p.flash(c, view.Flash{Key: "flash.plugin_refused", Name: name, Said: refused.Message, Bad: true})
	case err != nil:
		p.fail(c, err)
		return
	default:
		p.flash(c, view.Flash{Key: "flash.key_agreed", Name: name})
	}
	back(c, "/plugins")
}

func (p *pluginPages) revokePluginKey(c *gin.Context) {
	if err := p.plugins.Revoke(c.Request.Context(), c.Param("id")); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.key_not_trusted", Name: c.Param("id")})
	back(c, "/plugins")
}
