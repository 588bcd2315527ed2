package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// escalationSetup shows the contacts, channels and policies.
func (p *escalationSetup) escalationSetup(c *gin.Context) {
	ctx := c.Request.Context()
	channels, err := p.notifications.Channels(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	contacts, err := p.notifications.Contacts(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.EscalationSetup{Names: map[string]string{policy.ToOwner: i18n.T(ctx, "escalation.owner")}}
	if v.Policies, err = p.notifications.Policies(ctx); err != nil {
		p.fail(c, err)
		return
	}
	services, err := p.services.List(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	for _, s := range services {
		v.Names[s.ID] = s.Title
	}
	for _, x := range channels {
		v.Names[x.ID] = x.Title
		v.Channels = append(v.Channels, view.ChannelRow{ID: x.ID, Title: x.Title, Kind: x.Kind, DisabledAt: x.DisabledAt})
	}
	for _, x := range contacts {
		v.Names[x.ID] = x.Title
		row := view.ContactRow{ID: x.ID, Title: x.Title, TakesRest: x.TakesRest, Quiet: x.Quiet, Zone: x.Zone}
		for _, a := range x.Addresses {
			row.Channels = append(row.Channels, v.Names[a.Channel])
		}
		v.Contacts = append(v.Contacts, row)
	}
	p.render(c, http.StatusOK, page.EscalationSetup(p.shell(c, view.SectionEscalations), v))
}

func (p *escalationSetup) channelKinds(c *gin.Context) {
	p.render(c, http.StatusOK, page.ChannelKinds(p.shell(c, view.SectionEscalations), channel.Kinds))
}

func (p *escalationSetup) newChannel(c *gin.Context) {
	kind := channel.Kind(c.Param("kind"))
	if !kind.Known() {
		p.NotFound(c)
		return
	}
	p.showChannel(c, http.StatusOK, view.ChannelForm{Kind: string(kind), Title: i18n.T(c.Request.Context(), "channel_kind."+string(kind)), Fields: channel.Fields(kind), Values: map[string]string{}})
}

func (p *escalationSetup) showChannel(c *gin.Context, status int, v view.ChannelForm) {
	p.render(c, status, page.ChannelForm(p.shell(c, view.SectionEscalations), v))
}

// storedChannel reads the channel of the address with its form, without secrets.
func (p *escalationSetup) storedChannel(c *gin.Context) (noticedb.Channel, view.ChannelForm, bool) {
	stored, err := p.notifications.Channel(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return stored, view.ChannelForm{}, false
	}
	v := view.ChannelForm{
		ID: stored.ID, Kind: stored.Kind, Title: stored.Title, Fields: channel.Fields(channel.Kind(stored.Kind)), Values: map[string]string{}, DisabledAt: stored.DisabledAt,
	}
	for _, f := range v.Fields {
		switch {
		case !f.Secret:
			v.Values[f.Name] = stored.Settings[f.Name]
		case stored.Settings[f.Name] != "":
			v.Kept = append(v.Kept, f.Name)
		}
	}
	return stored, v, true
}

func (p *escalationSetup) editChannel(c *gin.Context) {
	stored, v, ok := p.storedChannel(c)
	if !ok {
		return
	}
	if test, shown := takeShown[channelTested](p.kit, c, shownTest); shown && test.Channel == stored.ID {
		v.Test = &test.ChannelTest
	}
	p.showChannel(c, http.StatusOK, v)
}

// saveChannel adds a channel or changes one. Secrets that are left empty stay.
func (p *escalationSetup) saveChannel(c *gin.Context) {
	d, v, ok := p.enteredChannel(c)
	if !ok {
		return
	}
	saved, err := p.notifications.SaveChannel(c.Request.Context(), d)
	if invalid, is := errors.AsType[*notifications.InvalidError](err); is {
		v.Problems = formProblems(invalid)
		p.showChannel(c, http.StatusUnprocessableEntity, v)
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.channel_saved", Name: saved.Title})
	back(c, "/escalation/channels/"+url.PathEscape(saved.ID))
}

// enteredChannel is what was entered into the form of a channel, and the form with it.
func (p *escalationSetup) enteredChannel(c *gin.Context) (d notifications.ChannelDraft, v view.ChannelForm, ok bool) {
	d = notifications.ChannelDraft{ID: c.Param("id"), Kind: c.Param("kind"), Title: strings.TrimSpace(c.PostForm("title")), Settings: map[string]string{}}
	v = view.ChannelForm{Kind: d.Kind, Fields: channel.Fields(channel.Kind(d.Kind)), Values: map[string]string{}}
	if d.ID != "" {
		if _, v, ok = p.storedChannel(c); !ok {
			return d, v, false
		}
	} else if !channel.Kind(d.Kind).Known() {
		p.NotFound(c)
		return d, v, false
	}
	for _, f := range v.Fields {
		value := strings.TrimSpace(c.PostForm("settings." + f.Name))
		d.Settings[f.Name] = value
		switch {
		case !f.Secret:
			v.Values[f.Name] = value
		case value != "":
			v.Again = append(v.Again, f.Name)
		}
	}
	v.Title = d.Title
	return d, v, true
}

// formProblems are the sentences of what is wrong with a draft, by field.
func formProblems(invalid *notifications.InvalidError) map[string]i18n.Words {
	problems := map[string]i18n.Words{}
	for _, x := range invalid.Problems {
		problems[x.Field] = formProblem(x)
	}
	return problems
}

func formProblem(x notifications.Problem) i18n.Words {
	known := map[string]i18n.Words{
		"title " + notifications.Missing: textTitle, "title " + notifications.Taken: textTitleTaken, "to " + notifications.Invalid: textAddress,
		"zone " + notifications.Invalid: textZone, "quiet_from " + notifications.Invalid: textClock, "quiet_until " + notifications.Invalid: textClock,
		"user " + notifications.Invalid: textNoPerson, "events " + notifications.Missing: textEvents, "steps " + notifications.Missing: textSteps,
		"steps " + notifications.Invalid: textMinutes, "steps " + unknownContact: textNoContact,
	}
	switch text, ok := known[x.Field+" "+x.Code]; {
	case ok:
		return text
	case x.Code == notifications.Again:
		return enterAgain(x.From, x.To)
	case strings.HasPrefix(x.Field, "address."):
		return textAddress
	case x.Code == notifications.Missing:
		return textMissing
	}
	return textInvalid
}

// unknownContact is a recipient of a step that there is not.
const unknownContact = "unknown"

// What is wrong with fields of the pages of escalation.
var (
	textTitle      = i18n.Words{EN: "Give it a title.", RU: "Дайте название."}
	textTitleTaken = i18n.Words{EN: "There is one of this title already.", RU: "Такое название уже есть."}
	textMissing    = i18n.Words{EN: "This is needed.", RU: "Это нужно заполнить."}
	textInvalid    = i18n.Words{EN: "This cannot be right; look at the example.", RU: "Так быть не может; посмотрите на пример."}
	textAddress    = i18n.Words{EN: "This is no address of that channel; look at the example.", RU: "Это не адрес такого канала; посмотрите на пример."}
	textZone       = i18n.Words{EN: "There is no such time zone; write for example Europe/Moscow.", RU: "Такого часового пояса нет; пример: Europe/Moscow."}
	textClock      = i18n.Words{EN: "Write hours and minutes, for example 22:00.", RU: "Укажите часы и минуты, например 22:00."}
	textEvents     = i18n.Words{EN: "Choose at least one event.", RU: "Выберите хотя бы одно событие."}
	textSteps      = i18n.Words{EN: "Name at least one recipient.", RU: "Укажите хотя бы одного получателя."}
	textMinutes    = i18n.Words{EN: "Write minutes up to 10080, or a time with its unit, for example 90s or 2h.", RU: "Укажите минуты, до 10080, или время с единицей, например 90s или 2h."}
)

// channelTested is what came of a test message, for the page that shows it.
type channelTested struct {
	Channel string
	view.ChannelTest
}

// testChannel sends a test message; the channel's page shows the reply of the service.
func (p *escalationSetup) testChannel(c *gin.Context) {
	stored, v, ok := p.storedChannel(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	to := strings.TrimSpace(c.PostForm("to"))
	v.Test = &view.ChannelTest{To: to}
	receipt, err := p.notifications.TestChannel(ctx, stored.ID, to, i18n.Lang(ctx))
	if invalid, is := errors.AsType[*notifications.InvalidError](err); is {
		v.Problems, v.Test = formProblems(invalid), nil
		p.showChannel(c, http.StatusUnprocessableEntity, v)
		return
	}
	if failure, is := errors.AsType[*channel.Error](err); is {
		v.Test.Reason, v.Test.Said = string(failure.Reason), failure.Said
	} else if err != nil {
		p.fail(c, err)
		return
	} else {
		v.Test.Reference, v.Test.Said = receipt.Reference, receipt.Said
	}
	if err := p.show(c, shownTest, channelTested{Channel: stored.ID, ChannelTest: *v.Test}); err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/escalation/channels/"+url.PathEscape(stored.ID)+"#test")
}

func (p *escalationSetup) deleteChannel(c *gin.Context) {
	stored, err := p.notifications.DeleteChannel(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.deleted", Name: stored.Title})
	back(c, "/escalation")
}
