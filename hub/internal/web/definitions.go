package web

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/definitions"
	work "github.com/evergrant/evergrant/hub/internal/definitions"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/provider"
)

// definitionPages show definitions and take new ones.
type definitionPages struct {
	*kit
	*directory
	definitions *definitions.Definitions
}

func newDefinitionPages(k *kit, d *directory, o Options) *definitionPages {
	return &definitionPages{kit: k, directory: d, definitions: o.Definitions}
}

func (p *definitionPages) routes(in inside) {
	see, manage := in.may(access.ActSee), in.may(access.ActManage)
	see.GET("/definitions", p.list)
	see.GET("/definitions/:name", p.one)
	see.GET("/definitions/:name/file", p.file)
	see.GET("/definition-schema.json", p.schema)
	manage.GET("/definitions/:name/plugin", p.promote)
	manage.GET("/new-definition", p.editor)
	manage.POST("/new-definition", p.save)
	manage.POST("/new-definition/check", p.check)
	manage.POST("/definitions/:name/enable", p.enable)
	manage.POST("/definitions/:name/rollback", p.rollback)
	manage.POST("/definitions/:name/disable", p.disable)
	manage.POST("/definitions/:name/discard", p.discard)
}

func (p *definitionPages) list(c *gin.Context) {
	items, plugin, err := p.definitions.List(c.Request.Context())
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.Definitions{Refused: p.definitions.Refused()}
	v.Folder, v.Notes = p.definitions.Folder()
	if plugin != nil {
		v.Plugin = plugin.Error()
	}
	for _, item := range items {
		v.Rows = append(v.Rows, p.viewOf(item))
	}
	p.render(c, http.StatusOK, page.Definitions(p.shell(c, view.SectionPlugins), v))
}

func (p *definitionPages) viewOf(item work.Item) view.Definition {
	v := view.Definition{Item: item, Icon: view.Icon{Title: item.Name}, Refused: p.definitions.Refused()}
	if item.Read != nil {
		v.Icon.Title = item.Read.Title.EN
	}
	if item.Slot.Enabled != 0 || item.Shipped != nil {
		v.Icon.URL = p.iconOf(item.Name)
	}
	return v
}

// one is the page of a definition. The version in the address is compared with what is
// enabled, 0 being the shipped one; without any, the draft is.
func (p *definitionPages) one(c *gin.Context) {
	item, err := p.definitions.One(c.Request.Context(), c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	v := p.viewOf(item)
	number, asked := item.Slot.Draft, item.Slot.Draft > 0
	if given := c.Query("version"); given != "" {
		number, err = strconv.ParseInt(given, 10, 64)
		asked = err == nil
	}
	if asked {
		if compared, ok := item.Compare(number); ok {
			v.Compared = &compared
		}
	}
	if losses, ok := takeShown[view.DefinitionLosses](p.kit, c, shownDefinition); ok && losses.Name == item.Name {
		v.Losses = losses
	}
	p.render(c, http.StatusOK, page.Definition(p.shell(c, view.SectionPlugins), v))
}

// file hands out a version as a file.
func (p *definitionPages) file(c *gin.Context) {
	item, err := p.definitions.One(c.Request.Context(), c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	number := item.Slot.Enabled
	if _, served := item.Text(number); !served && len(item.Versions) > 0 {
		number = item.Versions[0].Number // the newest one
	}
	if given := c.Query("version"); given != "" {
		if number, err = strconv.ParseInt(given, 10, 64); err != nil {
			p.NotFound(c)
			return
		}
	}
	text, ok := item.Text(number)
	if !ok {
		p.NotFound(c)
		return
	}
	c.Header("Content-Disposition", `attachment; filename="`+item.Name+`.yaml"`)
	c.Data(http.StatusOK, "application/yaml; charset=utf-8", []byte(text))
}

// promote hands out what is served as a plugin of its own.
func (p *definitionPages) promote(c *gin.Context) {
	item, err := p.definitions.One(c.Request.Context(), c.Param("name"))
	if err != nil {
		p.fail(c, err)
		return
	}
	text, ok := item.Text(item.Slot.Enabled)
	if !ok {
		p.NotFound(c)
		return
	}
	file, err := work.Skeleton(item.Name, text, time.Now())
	if err != nil {
		p.fail(c, err)
		return
	}
	c.Header("Content-Disposition", `attachment; filename="evergrant-provider-`+strings.ReplaceAll(item.Name, ".", "-")+`.zip"`)
	c.Data(http.StatusOK, "application/zip", file)
}

func (p *definitionPages) schema(c *gin.Context) {
	c.Data(http.StatusOK, "application/schema+json; charset=utf-8", definition.Schema())
}

// editor is the form, with the text of a definition that is to be changed.
func (p *definitionPages) editor(c *gin.Context) {
	v := view.DefinitionEditor{From: c.Query("from")}
	if v.From != "" {
		item, err := p.definitions.One(c.Request.Context(), v.From)
		if err != nil {
			p.fail(c, err)
			return
		}
		number := item.Slot.Enabled
		if item.Slot.Draft > 0 {
			number = item.Slot.Draft
		}
		v.Text, _ = item.Text(number)
	}
	p.render(c, http.StatusOK, page.DefinitionEditor(p.shell(c, view.SectionPlugins), v))
}

// entered is what the form has. A browser ends lines in its own way.
func (p *definitionPages) entered(c *gin.Context) view.DefinitionEditor {
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, 4*definition.MaxSize)
	return view.DefinitionEditor{From: c.PostForm("from"), Text: strings.ReplaceAll(c.PostForm("text"), "\r\n", "\n")}
}

// check tells the problems of what was entered, and keeps nothing.
func (p *definitionPages) check(c *gin.Context) {
	v := p.entered(c)
	_, err := p.definitions.Check(v.Text)
	p.again(c, v, err)
}

// save keeps a text as a draft; with problems it comes back.
func (p *definitionPages) save(c *gin.Context) {
	v := p.entered(c)
	kept, err := p.definitions.Save(c.Request.Context(), v.Text)
	if err != nil {
		p.again(c, v, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.definition_saved", Name: kept.Name})
	back(c, definitionPath(kept.Name))
}

// again shows the form with what is wrong.
func (p *definitionPages) again(c *gin.Context, v view.DefinitionEditor, err error) {
	status := http.StatusUnprocessableEntity
	switch refused, isRefused := errors.AsType[*work.RefusedError](err); {
	case isRefused:
		v.Said, v.Problems = refused.Text, refused.Problems
	case errors.Is(err, store.ErrStale):
		v.Said = staleText
	case err != nil:
		p.fail(c, err)
		return
	default:
		v.Checked, status = true, http.StatusOK
	}
	p.render(c, status, page.DefinitionEditor(p.shell(c, view.SectionPlugins), v))
}

var staleText = provider.Text{
	EN: "Somebody else changed this definition at the same moment. Look at it and try again.",
	RU: "В тот же момент это определение изменил кто-то другой. Посмотрите на него и попробуйте ещё раз.",
}

func (p *definitionPages) enable(c *gin.Context) {
	name := c.Param("name")
	number, err := strconv.ParseInt(c.PostForm("version"), 10, 64)
	if err != nil || number < 1 {
		p.NotFound(c)
		return
	}
	err = p.definitions.Enable(c.Request.Context(), name, number, ticked(c, "accept_losses"))
	p.acted(c, "flash.definition_enabled", view.DefinitionLosses{Name: name, Act: "enable", Version: number}, err)
}

func (p *definitionPages) rollback(c *gin.Context) {
	err := p.definitions.Rollback(c.Request.Context(), c.Param("name"), ticked(c, "accept_losses"))
	p.acted(c, "flash.definition_rolled_back", view.DefinitionLosses{Name: c.Param("name"), Act: "rollback"}, err)
}

func (p *definitionPages) disable(c *gin.Context) {
	err := p.definitions.Disable(c.Request.Context(), c.Param("name"), ticked(c, "accept_losses"))
	p.acted(c, "flash.definition_disabled", view.DefinitionLosses{Name: c.Param("name"), Act: "disable"}, err)
}

func (p *definitionPages) discard(c *gin.Context) {
	err := p.definitions.Discard(c.Request.Context(), c.Param("name"))
	p.acted(c, "flash.definition_discarded", view.DefinitionLosses{Name: c.Param("name"), Act: "discard"}, err)
}

// acted reports how an act went. What services would lose is kept for the page, which asks
// for agreement.
func (p *definitionPages) acted(c *gin.Context, key string, losses view.DefinitionLosses, err error) {
	refused, isRefused := errors.AsType[*work.RefusedError](err)
	if isRefused && refused.Code == work.CodeLosses {
		losses.Said = refused.Text
		if err := p.show(c, shownDefinition, losses); err != nil {
			p.fail(c, err)
			return
		}
	}
	switch {
	case isRefused:
		p.flash(c, view.Flash{Key: "flash.definition_refused", Name: losses.Name, Said: saidIn(c, refused), Bad: true})
	case errors.Is(err, store.ErrStale):
		p.flash(c, view.Flash{Key: "flash.definition_refused", Name: losses.Name, Said: textIn(c, staleText), Bad: true})
	case err != nil:
		p.fail(c, err)
		return
	default:
		p.flash(c, view.Flash{Key: key, Name: losses.Name})
	}
	back(c, definitionPath(losses.Name))
}

// saidIn is a refusal with its first problem.
func saidIn(c *gin.Context, refused *work.RefusedError) string {
	said := textIn(c, refused.Text)
	if len(refused.Problems) > 0 {
		said += " " + strconv.Itoa(refused.Problems[0].Line) + ": " + textIn(c, refused.Problems[0].Text)
	}
	return said
}

func textIn(c *gin.Context, t provider.Text) string { return i18n.Text(c.Request.Context(), t) }

func definitionPath(name string) string { return "/definitions/" + url.PathEscape(name) }
