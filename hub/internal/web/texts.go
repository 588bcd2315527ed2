package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/escalation"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// textsView returns the texts of one topic in one language.
func (p *escalationSetup) textsView(c *gin.Context, topic, lang string) (view.Texts, error) {
	v := view.Texts{Topic: topic, Lang: lang, Topics: escalation.Topics, Fields: escalation.Fields}
	if !slices.Contains(escalation.Topics, v.Topic) {
		v.Topic = escalation.Topics[0]
	}
	if !slices.Contains(escalation.Languages, v.Lang) {
		v.Lang = i18n.Lang(c.Request.Context())
	}
	edited, err := p.notifications.Texts(c.Request.Context())
	for _, part := range escalation.Parts {
		text, own := edited[escalation.TemplateKey(v.Topic, v.Lang, part)]
		if !own {
			text = escalation.Original(v.Topic, v.Lang, part)
		}
		v.Parts = append(v.Parts, view.TextPart{Part: part, Text: text})
	}
	return v, err
}

// previewed adds to each text its preview with sample fields, or its problem.
func (p *escalationSetup) previewed(v *view.Texts) (right bool) {
	right = true
	for i := range v.Parts {
		preview, err := escalation.Preview(v.Parts[i].Text, v.Lang, p.publicURL)
		if err != nil {
			v.Parts[i].Problem, right = err.Error(), false
			continue
		}
		v.Parts[i].Preview = preview
	}
	return right
}

func (p *escalationSetup) texts(c *gin.Context) {
	v, err := p.textsView(c, c.Query("topic"), c.Query("lang"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.previewed(&v)
	p.render(c, http.StatusOK, page.Texts(p.shell(c, view.SectionEscalations), v))
}

// saveTexts shows a preview, stores the edited texts, or resets them to the delivered ones.
func (p *escalationSetup) saveTexts(c *gin.Context) {
	ctx := c.Request.Context()
	v, err := p.textsView(c, c.PostForm("topic"), c.PostForm("lang"))
	if err != nil {
		p.fail(c, err)
		return
	}
	reset := c.PostForm("then") == "reset"
	for i := range v.Parts {
		v.Parts[i].Text = strings.TrimSpace(strings.ReplaceAll(c.PostForm("text."+v.Parts[i].Part), "\r\n", "\n"))
	}
	right := p.previewed(&v)
	if c.PostForm("then") == "preview" {
		p.showTexts(c, right, v)
		return
	}
	if reset {
		err = p.notifications.ResetTexts(ctx, v.Topic, v.Lang)
	} else {
		parts := map[string]string{}
		for _, part := range v.Parts {
			parts[part.Part] = part.Text
		}
		err = p.notifications.SaveTexts(ctx, v.Topic, v.Lang, parts)
	}
	if _, invalid := errors.AsType[*notifications.InvalidError](err); invalid {
		p.showTexts(c, false, v)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.texts_saved"})
	back(c, "/escalation/texts?"+url.Values{"topic": {v.Topic}, "lang": {v.Lang}}.Encode())
}

// showTexts shows what was entered with a preview of each text.
func (p *escalationSetup) showTexts(c *gin.Context, right bool, v view.Texts) {
	status := http.StatusOK
	if !right {
		status = http.StatusUnprocessableEntity
	}
	p.render(c, status, page.Texts(p.shell(c, view.SectionEscalations), v))
}
