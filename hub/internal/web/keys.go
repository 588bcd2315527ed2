package web

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/keys"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/connection"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/store/peopledb"
	"github.com/evergrant/evergrant/hub/internal/web/page"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// keyPages make API keys, try them and revoke them.
type keyPages struct {
	*kit
	*directory
	keys        *keys.Keys
	people      *people.People
	connections *connections.Connections
	// router serves the API, by which a new key is tried.
	router http.Handler
}

func newKeyPages(k *kit, d *directory, o Options) *keyPages {
	return &keyPages{kit: k, directory: d, keys: o.Keys, people: o.People, connections: o.Connections}
}

func (p *keyPages) routes(in inside) {
	manage := in.may(access.ActManage)
	manage.GET("/keys", p.list)
	manage.GET("/keys/new", p.keyForm)
	manage.POST("/keys/new", p.createKey)
	manage.GET(keyCreated, p.newKey)
	manage.POST(keyCreated, p.tryKey)
	manage.POST("/keys/pick", p.pickForKey)
	manage.POST("/keys/:id/rotate", p.rotateKey)
	manage.POST("/keys/:id/revoke", p.revokeKey)
}

func (p *keyPages) list(c *gin.Context) {
	p.forgetShown(c, shownKey)
	ctx := c.Request.Context()
	list, err := p.keys.List(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	opened, err := p.keys.Opened(ctx, list, titlesOfKey)
	if err != nil {
		p.fail(c, err)
		return
	}
	users, err := p.people.Users(ctx)
	if err != nil {
		p.fail(c, err)
		return
	}
	names := make(map[string]string, len(users))
	for _, u := range users {
		names[u.ID] = view.Person{Login: u.Login, Name: u.Name}.Called()
	}
	views := make([]view.Key, 0, len(list))
	for _, k := range list {
		views = append(views, keyView(k, opened, names))
	}
	p.render(c, http.StatusOK, page.Keys(p.shell(c, view.SectionKeys), views))
}

// titlesOfKey is how many connections of a key are named in the list; the rest are
// counted.
const titlesOfKey = 4

func keyView(k peopledb.APIKey, opened map[string]connection.Connection, names map[string]string) view.Key {
	v := view.Key{
		ID: k.ID, Title: k.Title, Prefix: k.Prefix, Admin: access.MayAdminister(k), AllConnections: k.AllConnections,
		Tags: k.Tags, Addresses: k.Addresses,
		ExpiresAt: k.ExpiresAt, RevokedAt: k.RevokedAt, LastUsedAt: k.LastUsedAt, CreatedAt: k.CreatedAt, CreatedBy: names[k.CreatedBy],
	}
	for i, id := range k.ConnectionIDs {
		if title := opened[id].Title; title != "" || i >= titlesOfKey {
			v.Connections = append(v.Connections, title)
		}
	}
	if !v.Admin && !slices.Equal(k.Scopes, []string{access.ScopeTokenRead}) {
		v.Scopes = k.Scopes
	}
	return v
}

func (p *keyPages) keyForm(c *gin.Context) {
	form := view.KeyForm{Life: view.KeyLives[1], Scopes: []string{access.ScopeTokenRead}}
	if name := c.Query("connection"); name != "" {
		form.Chosen = []string{name}
	}
	p.showKeyForm(c, http.StatusOK, form)
}

func (p *keyPages) showKeyForm(c *gin.Context, status int, form view.KeyForm) {
	picker, err := p.picker(c, c.PostForm("find"), form.Chosen)
	if err != nil {
		p.fail(c, err)
		return
	}
	if form.AllTags, err = p.keys.Tags(c.Request.Context()); err != nil {
		p.fail(c, err)
		return
	}
	form.Picker = picker
	p.render(c, status, page.NewKey(p.shell(c, view.SectionKeys), form))
}

// What is wrong with a field of the form.
var (
	textKeyTitle   = i18n.Words{EN: "Say which process will use it.", RU: "Укажите, какой процесс будет им пользоваться."}
	textKeyNothing = i18n.Words{EN: "Choose at least one connection, or all.", RU: "Выберите хотя бы одно подключение или все."}
	textKeyScopes  = i18n.Words{EN: "Choose at least one thing that it may do.", RU: "Выберите хотя бы одно, что ему можно."}
	textKeyFrom    = i18n.Words{
		EN: "Enter IP addresses or networks, such as 203.0.113.7 or 10.0.0.0/8, separated by commas.",
		RU: "Укажите через запятую IP-адреса или сети, например 203.0.113.7 или 10.0.0.0/8.",
	}
)

// enteredKey is what was entered into the form of a key.
func enteredKey(c *gin.Context) view.KeyForm {
	return view.KeyForm{
		Title: c.PostForm("title"), All: c.PostForm("which") == "all", Chosen: c.PostFormArray("connections"),
		Tags: c.PostFormArray("tags"), Scopes: c.PostFormArray("scopes"), Addresses: c.PostForm("addresses"),
		Life: c.PostForm("life"), Admin: c.PostForm("which") == "admin", Problems: map[string]i18n.Words{},
	}
}

// keyDraft is the key of a form.
func keyDraft(form view.KeyForm) keys.Draft {
	d := keys.Draft{
		Title: form.Title, Scopes: form.Scopes, All: form.All || form.Admin, Connections: form.Chosen, Tags: form.Tags, Chosen: true,
		Addresses: strings.FieldsFunc(form.Addresses, func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) }),
	}
	if form.Admin {
		d.Scopes = []string{access.ScopeTokenRead, access.ScopeAdmin}
	}
	if life := view.KeyLife(form.Life); life > 0 {
		d.ExpiresAt = time.Now().Add(life)
	}
	return d
}

// keyProblems are what can be wrong with a field of the form.
var keyProblems = []struct {
	err   error
	field string
	text  i18n.Words
}{
	{access.ErrKeyTitle, "title", textKeyTitle},
	{access.ErrScope, "scopes", textKeyScopes},
	{access.ErrKeyFrom, "addresses", textKeyFrom},
	{keys.ErrOpensNothing, "connections", textKeyNothing},
}

func (p *keyPages) createKey(c *gin.Context) {
	form := enteredKey(c)
	draft := keyDraft(form)
	if slices.Contains(draft.Scopes, access.ScopeAdmin) && !p.needProof(c) {
		return
	}
	made, err := p.keys.Create(c.Request.Context(), draft)
	for _, known := range keyProblems {
		if errors.Is(err, known.err) {
			form.Problems[known.field] = known.text
			p.showKeyForm(c, http.StatusUnprocessableEntity, form)
			return
		}
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.NewKey{Key: keyView(made.Key, nil, nil), Secret: made.Secret, PullName: made.Try}
	for _, conn := range made.Connections {
		v.Connections = append(v.Connections, conn.Title)
	}
	p.showNewKey(c, v)
}

// rotateKey makes a key in the place of another one.
func (p *keyPages) rotateKey(c *gin.Context) {
	overlap, err := time.ParseDuration(c.PostForm("overlap"))
	if err != nil {
		overlap = 0
	}
	old, err := p.keys.Key(c.Request.Context(), c.Param("id"))
	if err != nil {
		p.fail(c, err)
		return
	}
	if access.MayAdminister(old) && !p.needProof(c) {
		return
	}
	made, err := p.keys.Rotate(c.Request.Context(), old.ID, overlap)
	if errors.Is(err, access.ErrBadKey) {
		p.flash(c, view.Flash{Bad: true, Key: "apikeys.ended"})
		back(c, "/keys")
		return
	}
	if err != nil {
		p.fail(c, err)
		return
	}
	v := view.NewKey{Key: keyView(made.Key, nil, nil), Secret: made.Secret, PullName: made.Try}
	p.showNewKey(c, v)
}

func (p *keyPages) revokeKey(c *gin.Context) {
	if err := p.keys.Revoke(c.Request.Context(), c.Param("id")); err != nil {
		p.fail(c, err)
		return
	}
	p.flash(c, view.Flash{Key: "flash.key_revoked"})
	back(c, "/keys")
}
