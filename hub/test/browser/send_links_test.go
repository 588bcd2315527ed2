package browser_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evergrant/evergrant/hub/internal/channel"
	"github.com/evergrant/evergrant/hub/test/hubtest"
)

// Many connections have to be authorized again: from the overview's group their links go to
// whom they belong, together, after a question that counts; the result says who got them and
// why others did not.
func TestLinksAreSentToTheOwnersOfMany(t *testing.T) {
	t.Parallel()
	world := hubtest.StartWorld(t, time.Hour)
	r := hubtest.StartHub(t, nil)
	boss := r.Owner(t)
	services := hubtest.StartChannels(t)
	s := world.Service("google-calendar")
	r.AddService(t, s)
	mail, telegram := boss.AddChannel(services, channel.SMTP), boss.AddChannel(services, channel.Telegram)
	anna := boss.AddContact("Anna", map[string]string{mail: services.Address(channel.SMTP)})
	boris := boss.AddContact("Boris", map[string]string{telegram: services.Address(channel.Telegram)}, "lang", "en")
	mute := boss.AddContact("Mute", map[string]string{})
	owners := []string{anna, anna, anna, boris, boris, mute, ""}
	for i := range 14 {
		name := fmt.Sprintf("shop-%02d", i)
		r.Admin.Must(t, "POST", "/api/v1/connections", map[string]any{"service": s.Name, "name": name, "title": "Shop " + fmt.Sprint(i)}, nil)
		boss.Follow("/connections/"+name+"/owner", url.Values{"owner": {owners[i%len(owners)]}})
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
				b := hubtest.StartBrowser(t, int(width), 800)
				b.LogIn(r, "owner")
				speakOf(b, r.Hub.URL()+"/", lang, width)
				b.See(words[0])
				inBounds(b, "the overview")
				b.Click(`form[action="/bulk"] input[value="links"] ~ button`)
				for _, word := range words[1:4] {
					b.See(word)
				}
				inBounds(b, "the question")
				snap(b, "links-ask-"+lang+fmt.Sprint(width))
				b.Click("#bulk-ask button[type=submit]")
				hubtest.Eventually(t, "the run is over", func() bool { return !has(b, "#run[hx-get]") && has(b, "#run") })
				for _, word := range words[4:6] {
					b.See(word)
				}
				b.See("Anna · smtp")
				b.See("Boris · telegram")
				inBounds(b, "the result")
				snap(b, "links-"+lang+fmt.Sprint(width))
				runs++
			})
		}
	}
	if runs == 0 {
		page := boss.Follow("/bulk", url.Values{"act": {"links"}, "all": {"true"}, "query": {"status=needs_authorization"}, "confirmed": {"15"}})
		if !strings.Contains(page, "shop-00") {
			t.Fatalf("no run: %s", page)
		}
		runs = 1
	}
	letters, chats := hubtest.Told(t, services, channel.SMTP, runs), hubtest.Told(t, services, channel.Telegram, runs)
	if n := len(slices.Compact(slices.Sorted(slices.Values(hubtest.GrantPathRE.FindAllString(letters[0].Text, -1))))); n != 6 {
		t.Errorf("Anna's letter has %d links:\n%s", n, letters[0].Text)
	}
	if n := strings.Count(chats[0].Text, "/grant/"); n != 4 || !strings.Contains(chats[0].Text, "Shop 3: http") {
		t.Errorf("Boris is sent %d links:\n%s", n, chats[0].Text)
	}
	link := hubtest.GrantPathRE.FindString(chats[0].Text)
	if _, page, _ := hubtest.NewVisitor(t, r).Ask("GET", link, nil); !strings.Contains(page, s.Title) {
		t.Errorf("a link of the message leads to: %s", page)
	}
	_, audit, _ := boss.Ask("GET", "/audit?act=connection.links", nil)
	if !strings.Contains(audit, "Link to authorize again sent") && !strings.Contains(audit, "Ссылка для новой авторизации отправлена") || !strings.Contains(audit, "shop-03") {
		t.Error("the audit does not name what links were sent for")
	}
}
