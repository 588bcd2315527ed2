package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/web/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
	"github.com/evergrant/evergrant/sdk/provider"
)

// escalationSetup shows who can be told, and how.
func (p *Pages) escalationSetup(c *gin.Context) {
	ctx := c.Request.Context()
	channels, err := p.o.Store.Channels(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	contacts, err := p.o.Store.Contacts(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.EscalationSetup{Names: map[string]string{policy.ToOwner: i18n.T(ctx, "escalation.owner")}}
	if v.Policies, err = p.o.Store.Policies(ctx); err != nil {
		p.fail(c, err)
		return
	}
	services, err := p.o.Store.Services(ctx)
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

func (p *Pages) channelKinds(c *gin.Context) {
	p.render(c, http.StatusOK, page.ChannelKinds(p.shell(c, view.SectionEscalations), channel.Kinds))
}

func (p *Pages) newChannel(c *gin.Context) {
	kind := channel.Kind(c.Param("kind"))
	if !kind.Known() {
		p.NotFound(c)
		return
	}
	p.showChannel(c, http.StatusOK, view.ChannelForm{Kind: string(kind), Title: i18n.T(c.Request.Context(), "channel_kind."+string(kind)), Fields: channel.Fields(kind), Values: map[string]string{}})
}

func (p *Pages) showChannel(c *gin.Context, status int, v view.ChannelForm) {
	p.render(c, status, page.ChannelForm(p.shell(c, view.SectionEscalations), v))
}

// storedChannel reads the channel of the address with its form, without secrets.
func (p *Pages) storedChannel(c *gin.Context) (store.Channel, view.ChannelForm, bool) {
	stored, err := p.o.Store.Channel(c.Request.Context(), c.Param("id"))
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

func (p *Pages) editChannel(c *gin.Context) {
	stored, v, ok := p.storedChannel(c)
	if !ok {
		return
	}
	if test, shown := takeShown[channelTested](p, c, shownTest); shown && test.Channel == stored.ID {
		v.Test = &test.ChannelTest
	}
	p.showChannel(c, http.StatusOK, v)
}

// saveChannel adds a channel or changes one. Secrets that are left empty stay.
func (p *Pages) saveChannel(c *gin.Context) {
	ctx, now := c.Request.Context(), time.Now()
	stored := store.Channel{ID: store.NewID(), Kind: c.Param("kind"), CreatedAt: now}
	v := view.ChannelForm{Kind: stored.Kind, Fields: channel.Fields(channel.Kind(stored.Kind)), Values: map[string]string{}}
	if stored.Kind == "" {
		var ok bool
		if stored, v, ok = p.storedChannel(c); !ok {
			return
		}
	} else if !channel.Kind(stored.Kind).Known() {
		p.NotFound(c)
		return
	}
	settings, entered := map[string]string{}, channel.Settings{}
	for _, f := range v.Fields {
		value := strings.TrimSpace(c.PostForm("settings." + f.Name))
		entered[f.Name] = value
		if value == "" && f.Secret {
			value = stored.Settings[f.Name]
		} else if f.Secret {
			v.Again = append(v.Again, f.Name)
		} else {
			v.Values[f.Name] = value
		}
		settings[f.Name] = value
	}
	kept, from, to := channel.KeptElsewhere(channel.Kind(stored.Kind), stored.Settings, entered)
	added := stored.Settings == nil
	stored.Settings, stored.Title, stored.UpdatedAt, stored.DisabledAt = settings, strings.TrimSpace(c.PostForm("title")), now, time.Time{}
	v.Title, v.Problems = stored.Title, channelProblems(channel.Check(channel.Kind(stored.Kind), settings))
	for _, field := range kept {
		v.Problems["settings."+field] = enterAgain(from, to)
	}
	if stored.Title == "" {
		v.Problems["title"] = textTitle
	}
	if len(v.Problems) == 0 {
		err := p.o.Store.SaveChannel(ctx, stored)
		if errors.Is(err, store.ErrNameTaken) {
			v.Problems["title"] = textTitleTaken
		} else if err != nil {
			p.fail(c, err)
			return
		}
	}
	if len(v.Problems) > 0 {
		p.showChannel(c, http.StatusUnprocessableEntity, v)
		return
	}
	p.o.Audit.Record(ctx, "channel.save", audit.Object{Kind: "channel", Name: stored.Title})
	if !added && from != to {
		p.channelMoved(c, stored.Title, from, to)
	}
	p.flash(c, view.Flash{Key: "flash.channel_saved", Name: stored.Title})
	back(c, "/escalation/channels/"+url.PathEscape(stored.ID))
}

func channelProblems(found []channel.Problem) map[string]provider.Text {
	problems := map[string]provider.Text{}
	for _, x := range found {
		problems["settings."+x.Field] = textMissing
		if x.Code == channel.ProblemInvalid {
			problems["settings."+x.Field] = textInvalid
		}
	}
	return problems
}

// What is wrong with fields of the pages of escalation.
var (
	textTitle      = provider.Text{EN: "Give it a title.", RU: "Дайте название."}
	textTitleTaken = provider.Text{EN: "There is one of this title already.", RU: "Такое название уже есть."}
	textMissing    = provider.Text{EN: "This is needed.", RU: "Это нужно заполнить."}
	textInvalid    = provider.Text{EN: "This cannot be right; look at the example.", RU: "Так быть не может; посмотрите на пример."}
	textAddress    = provider.Text{EN: "This is no address of that channel; look at the example.", RU: "Это не адрес такого канала; посмотрите на пример."}
	textZone       = provider.Text{EN: "There is no such time zone; write for example Europe/Moscow.", RU: "Такого часового пояса нет; пример: Europe/Moscow."}
	textClock      = provider.Text{EN: "Write hours and minutes, for example 22:00.", RU: "Укажите часы и минуты, например 22:00."}
	textEvents     = provider.Text{EN: "Choose at least one event.", RU: "Выберите хотя бы одно событие."}
	textSteps      = provider.Text{EN: "Name at least one recipient.", RU: "Укажите хотя бы одного получателя."}
	textMinutes    = provider.Text{EN: "Write minutes up to 10080, or a time with its unit, for example 90s or 2h.", RU: "Укажите минуты, до 10080, или время с единицей, например 90s или 2h."}
)

// channelTested is what came of a test message, for the page that shows it.
type channelTested struct {
	Channel string
	view.ChannelTest
}

// testChannel sends a test message now; the channel's page shows what the service said.
func (p *Pages) testChannel(c *gin.Context) {
	stored, v, ok := p.storedChannel(c)
	if !ok {
		return
	}
	ctx := c.Request.Context()
	to := strings.TrimSpace(c.PostForm("to"))
	v.Test = &view.ChannelTest{To: to}
	if err := channel.CheckAddress(channel.Kind(stored.Kind), to); err != nil {
		v.Problems = map[string]provider.Text{"to": textAddress}
		v.Test = nil
		p.showChannel(c, http.StatusUnprocessableEntity, v)
		return
	}
	receipt, err := p.o.Escalation.Test(ctx, stored, to, i18n.Lang(ctx))
	if failure, is := errors.AsType[*channel.Error](err); is {
		v.Test.Reason, v.Test.Said = string(failure.Reason), failure.Said
	} else if err != nil {
		p.fail(c, err)
		return
	}
	if err == nil {
		v.Test.Reference, v.Test.Said = receipt.Reference, receipt.Said
	}
	p.o.Audit.Record(ctx, "channel.test", audit.Object{Kind: "channel", Name: stored.Title}, "result", v.Test.Reason)
	if err := p.show(c, shownTest, channelTested{Channel: stored.ID, ChannelTest: *v.Test}); err != nil {
		p.fail(c, err)
		return
	}
	back(c, "/escalation/channels/"+url.PathEscape(stored.ID)+"#test")
}

func (p *Pages) deleteChannel(c *gin.Context) {
	ctx := c.Request.Context()
	stored, err := p.o.Store.Channel(ctx, c.Param("id"))
	if err == nil {
		err = p.o.Store.DeleteChannel(ctx, stored.ID)
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	p.o.Audit.Record(ctx, "channel.delete", audit.Object{Kind: "channel", Name: stored.Title})
	p.flash(c, view.Flash{Key: "flash.deleted", Name: stored.Title})
	back(c, "/escalation")
}
