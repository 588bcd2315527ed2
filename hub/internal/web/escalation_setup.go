package web

import (
	"github.com/gin-gonic/gin"

	"github.com/evergrant/evergrant/hub/internal/access"
	"github.com/evergrant/evergrant/hub/internal/app/keys"
	"github.com/evergrant/evergrant/hub/internal/app/notifications"
	"github.com/evergrant/evergrant/hub/internal/app/people"
	"github.com/evergrant/evergrant/hub/internal/app/services"
)

// escalationSetup edits who is notified of trouble, by which channels, when and in which words.
type escalationSetup struct {
	*kit
	*directory
	notifications *notifications.Notifications
	services      *services.Services
	keys          *keys.Keys
	people        *people.People
}

func newEscalationSetup(k *kit, d *directory, o Options) *escalationSetup {
	return &escalationSetup{kit: k, directory: d, notifications: o.Notifications, services: o.Services, keys: o.Keys, people: o.People}
}

func (p *escalationSetup) routes(in inside) {
	manage := in.may(access.ActManage)
	manage.GET("/escalation", p.escalationSetup)
	p.channelRoutes(manage)
	manage.GET("/escalation/contacts/new", p.contactForm)
	manage.POST("/escalation/contacts/new", p.saveContact)
	manage.GET("/escalation/contacts/:id", p.contactForm)
	manage.POST("/escalation/contacts/:id", p.saveContact)
	manage.POST("/escalation/contacts/:id/delete", p.deleteContact)
	manage.GET("/escalation/policies/new", p.policyForm)
	manage.POST("/escalation/policies/new", p.savePolicy)
	manage.GET("/escalation/policies/:id", p.policyForm)
	manage.POST("/escalation/policies/:id", p.savePolicy)
	manage.POST("/escalation/policies/:id/delete", p.deletePolicy)
	manage.GET("/escalation/texts", p.texts)
	manage.POST("/escalation/texts", p.saveTexts)
}

func (p *escalationSetup) channelRoutes(manage *gin.RouterGroup) {
	manage.GET("/escalation/channels/new", p.channelKinds)
	manage.GET("/escalation/channels/new/:kind", p.newChannel)
	manage.POST("/escalation/channels/new/:kind", p.saveChannel)
	manage.GET("/escalation/channels/:id", p.editChannel)
	manage.POST("/escalation/channels/:id", p.saveChannel)
	manage.POST("/escalation/channels/:id/test", p.testChannel)
	manage.POST("/escalation/channels/:id/delete", p.deleteChannel)
}
