package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/app/act"
	"github.com/evergrant/evergrant/hub/internal/audit"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store"
	"github.com/evergrant/evergrant/hub/internal/store/noticedb"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// askPage is the page of the request for a missing service.
const askPage = "/ask"

// requestLimit bounds how often services are requested. People, links and the front page are
// counted separately, so that visitors cannot use up the limit of others.
var requestLimit = servicedb.FrontLimit{PerAddress: 5, InTotal: 30, Within: 24 * time.Hour}

// What is wrong with a request.
var (
	textAskService = i18n.Words{EN: "Say which service, by its name or its address.", RU: "Укажите сервис: название или адрес."}
	textAskPurpose = i18n.Words{EN: "Say what it is for, in a sentence.", RU: "Напишите одной фразой, для чего он нужен."}
	textAskContact = i18n.Words{EN: "Say how to reach you: an e-mail address, a phone number, a messenger.", RU: "Укажите, как с вами связаться: почта, телефон, мессенджер."}
	textAskLong    = i18n.Words{EN: "This is too long.", RU: "Слишком длинно."}
)

// asker identifies the source of a request for a service.
type asker struct {
	source, by, counted, action, back string
	link                              bool
}

// askerOf returns the asker of a request: a person who is signed in, the holder of a valid
// link, or, once a service is published, a visitor of the front page. Other requests are
// redirected; false then.
func (f *frontDoor) askerOf(c *gin.Context) (asker, bool) {
	if token := c.Param("token"); token != "" {
		linked, err := f.grants.Link(c.Request.Context(), token)
		if err != nil {
			f.refuseLink(c, err)
			return asker{}, false
		}
		at := "/grant/" + url.PathEscape(token)
		return asker{source: noticedb.RequestByLink, by: linked.Connection.Title, counted: addressOf(c), action: at + askPage, back: at, link: true}, true
	}
	if u, in := f.known(c); in {
		return asker{source: noticedb.RequestByPerson, by: u.Login, counted: u.Login, action: askPage, back: "/services"}, true
	}
	if f.anyPublished(c) {
		return asker{source: noticedb.RequestByFront, counted: addressOf(c), action: askPage, back: frontPage}, true
	}
	back(c, "/login?"+url.Values{"return_to": {askPage}}.Encode())
	return asker{}, false
}

// askForm shows the form of a request for a service, or the confirmation that one was sent.
func (f *frontDoor) askForm(c *gin.Context) {
	if who, ok := f.askerOf(c); ok {
		f.showAsk(c, http.StatusOK, who, view.AskForm{Sent: c.Query("sent") != "", Service: c.Query("service")})
	}
}

func (f *frontDoor) showAsk(c *gin.Context, status int, who asker, v view.AskForm) {
	v.Action, v.Back = who.action, who.back
	shell := f.shell(c, view.SectionServices)
	if who.link {
		shell.Person = nil // who follows a link sees what every stranger sees
	}
	f.render(c, status, page.Ask(shell, v))
}

// ask stores a request and notifies administrators.
func (f *frontDoor) ask(c *gin.Context) {
	who, ok := f.askerOf(c)
	if !ok {
		return
	}
	v := view.AskForm{Service: line(c.PostForm("service")), Purpose: lines(c.PostForm("purpose")), Contact: line(c.PostForm("contact")), Problems: view.Problems{}}
	if v.Contact == "" && who.source == noticedb.RequestByPerson {
		v.Contact = who.by
	}
	bound(v.Problems, "service", v.Service, view.AskServiceMax, textAskService)
	bound(v.Problems, "purpose", v.Purpose, view.AskPurposeMax, textAskPurpose)
	bound(v.Problems, "contact", v.Contact, view.AskContactMax, textAskContact)
	if len(v.Problems) > 0 {
		f.showAsk(c, http.StatusUnprocessableEntity, who, v)
		return
	}
	r := noticedb.ServiceRequest{
		ID: store.NewID(), Service: v.Service, Purpose: v.Purpose, Contact: v.Contact, Source: who.source, AskedBy: who.by, Address: c.ClientIP(), CreatedAt: time.Now(),
	}
	err := f.services.AskFor(f.asFront(c), r, who.counted, requestLimit)
	if errors.Is(err, servicedb.ErrTooOften) {
		f.tooOften(c)
		v.TooOften = true
		f.showAsk(c, http.StatusTooManyRequests, who, v)
		return
	}
	if err != nil {
		f.fail(c, err)
		return
	}
	back(c, who.action+"?sent=1")
}

// bound adds the problem of a required field that is empty or too long.
func bound(problems view.Problems, field, value string, most int, missing i18n.Words) {
	switch n := utf8.RuneCountInString(value); {
	case n == 0:
		problems[field] = missing
	case n > most:
		problems[field] = textAskLong
	}
}

// line returns text of a visitor in one line, without invisible characters.
func line(s string) string { return strings.Join(strings.Fields(lines(s)), " ") }

// lines is line with line breaks kept, at most one empty line in a row.
func lines(s string) string {
	s = strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r)) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(strings.ReplaceAll(s, "\r\n", "\n"), ""))
	for strings.Contains(s, "\n\n\n") {
		s = strings.ReplaceAll(s, "\n\n\n", "\n\n")
	}
	return strings.TrimSpace(s)
}

// asFront returns the context of acts of a visitor; it names a person who is signed in and
// the link of a visitor who has one.
func (f *frontDoor) asFront(c *gin.Context) context.Context {
	ctx, in := f.visitor(c)
	token := c.Param("token")
	if in || token == "" {
		return ctx
	}
	by := ""
	if linked, err := f.grants.Link(ctx, token); err == nil {
		by = linked.Link.CreatedBy
	}
	return act.With(ctx, act.Link(audit.KindLink, by, c.ClientIP(), agentOf(c)))
}
