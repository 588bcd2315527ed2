package web

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/connections"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/app/services"
	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/policy"
	"github.com/evergrant/evergrant/hub/internal/store/servicedb"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// pickPages answer the searches in lists that may be long.
type pickPages struct {
	*kit
	services      *services.Services
	connections   *connections.Connections
	notifications *notifications.Notifications
	people        *people.People
}

func newPickPages(k *kit, o Options) *pickPages {
	return &pickPages{kit: k, services: o.Services, connections: o.Connections, notifications: o.Notifications, people: o.People}
}

func (p *pickPages) routes(in inside) {
	see, manage := in.may(access.ActSee), in.may(access.ActManage)
	see.GET("/pick/services", p.pick(func(ctx context.Context) ([]picked, error) {
		return p.pickServices(ctx, func(s servicedb.ServiceName) string { return s.Name })
	}))
	see.GET("/pick/tags", p.pick(func(ctx context.Context) (list []picked, err error) {
		tags, err := p.connections.AllTags(ctx)
		for _, tag := range tags {
			list = append(list, picked{tag.Tag, tag.Tag})
		}
		return list, err
	}))
	manage.GET("/pick/service-ids", p.pick(func(ctx context.Context) ([]picked, error) {
		return p.pickServices(ctx, func(s servicedb.ServiceName) string { return s.ID })
	}))
	manage.GET("/pick/contacts", p.pick(func(ctx context.Context) (list []picked, err error) {
		contacts, err := p.notifications.Contacts(ctx)
		for _, x := range contacts {
			list = append(list, picked{x.Title, x.Title})
		}
		return list, err
	}))
	manage.GET("/pick/people", p.pick(func(ctx context.Context) (list []picked, err error) {
		users, err := p.people.Users(ctx)
		for _, u := range users {
			list = append(list, picked{u.Login, view.Person{Login: u.Login, Name: u.Name}.Called()})
		}
		return list, err
	}))
}

// Problems of text that was typed instead of chosen.
var (
	textNoService = i18n.Words{EN: "There is no service of that name.", RU: "Сервиса с таким именем нет."}
	textNoContact = i18n.Words{EN: "There is no contact of that name; choose one from the list.", RU: "Контакта с таким именем нет; выберите из списка."}
	textNoPerson  = i18n.Words{EN: "There is nobody of that login; choose from the list.", RU: "Человека с таким логином нет; выберите из списка."}
)

// pickMost is how many choices a search answers.
const pickMost = 50

// picked is a choice that matches a search.
type picked struct {
	Value string `json:"value"`
	Title string `json:"title"`
}

// pick answers a search in a long list with its first choices.
func (p *pickPages) pick(all func(ctx context.Context) ([]picked, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		choices, err := all(c.Request.Context())
		if err != nil {
			p.trouble(c, err)
			c.Status(http.StatusInternalServerError)
			return
		}
		query := strings.ToLower(strings.TrimSpace(c.Query("q")))
		found := []picked{}
		for _, x := range choices {
			if len(found) < pickMost && (strings.Contains(strings.ToLower(x.Title), query) || strings.Contains(strings.ToLower(x.Value), query)) {
				found = append(found, x)
			}
		}
		c.Header("Cache-Control", "no-store")
		c.JSON(http.StatusOK, found)
	}
}

func (p *pickPages) pickServices(ctx context.Context, value func(servicedb.ServiceName) string) (list []picked, err error) {
	services, err := p.services.Names(ctx)
	for _, s := range services {
		list = append(list, picked{value(s), s.Title})
	}
	return list, err
}

// contactEntered finds the contact that was chosen by its id, or typed by its title.
func contactEntered(contacts []policy.Contact, entered string) (id string, ok bool) {
	entered = strings.TrimSpace(entered)
	for _, x := range contacts {
		if x.ID == entered || strings.EqualFold(x.Title, entered) {
			return x.ID, true
		}
	}
	return "", false
}
