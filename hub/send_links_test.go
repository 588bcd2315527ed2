package hub_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
)

// Many connections have to be authorized again: from the overview's group their links go to
// whom they belong, together, after a question that counts; the result says who got them and
// why others did not.
func TestLinksAreSentToTheOwnersOfMany(t *testing.T) {
	t.Parallel()
	world := startWorld(t, time.Hour)
	r := startHub(t, nil)
	boss := r.owner(t)
	services := startChannels(t)
	s := world.Service("google-calendar")
	r.addService(t, s)
	mail, telegram := boss.addChannel(services, channel.SMTP), boss.addChannel(services, channel.Telegram)
	anna := boss.addContact("Anna", map[string]string{mail: services.Address(channel.SMTP)})
	boris := boss.addContact("Boris", map[string]string{telegram: services.Address(channel.Telegram)}, "lang", "en")
	mute := boss.addContact("Mute", map[string]string{})
	owners := []string{anna, anna, anna, boris, boris, mute, ""}
	for i := range 14 {
		name := fmt.Sprintf("shop-%02d", i)
		r.admin.must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": name, "title": "Shop " + fmt.Sprint(i)}, nil)
		boss.follow("/connections/"+name+"/owner", url.Values{"owner": {owners[i%len(owners)]}})
	}
	says := map[string][]string{
		"ru": {"Разослать ссылки", "Отправить ссылки для 15 подключений?", "Ссылки получат 3 владельца.", "нет владельца, и никто не получает остальное", "Отправлено:", "У контакта нет адреса"},
		"en": {"Send links", "Send the links of 15 connections?", "3 owners get links.", "no contact takes what is left", "Sent to:", "The contact has no address"},
	}
	runs := 0
	for _, lang := range []string{"en", "ru"} {
		words := says[lang]
		for _, width := range widths {
			t.Run(fmt.Sprint(lang, width), func(t *testing.T) {
				b := startBrowser(t, int(width), 800)
				b.logIn(r, "owner")
				b.speakOf(r.hub.URL()+"/", lang, width)
				b.see(words[0])
				b.inBounds("the overview")
				b.click(`form[action="/bulk"] input[value="links"] ~ button`)
				for _, word := range words[1:4] {
					b.see(word)
				}
				b.inBounds("the question")
				b.snap("links-ask-" + lang + fmt.Sprint(width))
				b.click("#bulk-ask button[type=submit]")
				eventually(t, "the run is over", func() bool { return !b.has("#run[hx-get]") && b.has("#run") })
				for _, word := range words[4:6] {
					b.see(word)
				}
				b.see("Anna · smtp")
				b.see("Boris · telegram")
				b.inBounds("the result")
				b.snap("links-" + lang + fmt.Sprint(width))
				runs++
			})
		}
	}
	if runs == 0 {
		page := boss.follow("/bulk", url.Values{"act": {"links"}, "all": {"true"}, "query": {"status=needs_authorization"}, "confirmed": {"15"}})
		if !strings.Contains(page, "shop-00") {
			t.Fatalf("no run: %s", page)
		}
		runs = 1
	}
	letters, chats := told(t, services, channel.SMTP, runs), told(t, services, channel.Telegram, runs)
	if n := len(slices.Compact(slices.Sorted(slices.Values(grantPathRE.FindAllString(letters[0].Text, -1))))); n != 6 {
		t.Errorf("Anna's letter has %d links:\n%s", n, letters[0].Text)
	}
	if n := strings.Count(chats[0].Text, "/grant/"); n != 4 || !strings.Contains(chats[0].Text, "Shop 3: http") {
		t.Errorf("Boris is sent %d links:\n%s", n, chats[0].Text)
	}
	link := grantPathRE.FindString(chats[0].Text)
	if _, page, _ := newVisitor(t, r).ask("GET", link, nil); !strings.Contains(page, s.Title) {
		t.Errorf("a link of the message leads to: %s", page)
	}
	_, audit, _ := boss.ask("GET", "/audit?act=connection.links", nil)
	if !strings.Contains(audit, "Link to authorize again sent") && !strings.Contains(audit, "Ссылка для новой авторизации отправлена") || !strings.Contains(audit, "shop-03") {
		t.Error("the audit does not name what links were sent for")
	}
}
