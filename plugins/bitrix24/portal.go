package main

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/evergrant/evergrant/sdk/provider"
)

var (
	// cloudHost is a portal in the vendor's cloud, which is never without TLS.
	cloudHost = regexp.MustCompile(`^[a-z0-9-]+\.bitrix24\.[a-z]{2,}(\.[a-z]{2,})?$`)
	plainHost = regexp.MustCompile(`^[a-z0-9_-]+(\.[a-z0-9_-]+)*$`)
	ipv6Host  = regexp.MustCompile(`^[0-9a-f]*:[0-9a-f:.]+$`)
)

// portalOf returns the portal's address, scheme://host[:port], from what an
// administrator entered.
func portalOf(svc provider.Service) (string, error) {
	origin, ok := portalAddress(svc.Option(optionPortal))
	if !ok {
		return "", &provider.Error{
			Kind: provider.Blocked, Option: optionPortal, Message: "the portal's address cannot be read",
			Remedy: provider.Text{
				EN: "Enter the portal's name (acme), its host (acme.bitrix24.com) or its address (http://b24.local). Write a name in another alphabet in its xn-- form.",
				RU: "Введите имя портала (acme), его хост (acme.bitrix24.ru) или адрес (http://b24.local). Кириллическое имя запишите в форме xn--.",
			},
		}
	}
	return origin, nil
}

// portalAddress reads "acme" as a portal in the Russian cloud, a host as one with
// https, and an address as it is, without its path: people copy it from the
// browser.
func portalAddress(entered string) (origin string, ok bool) {
	entered = strings.TrimSpace(entered)
	if plainHost.MatchString(strings.ToLower(entered)) && !strings.Contains(entered, ".") {
		return "https://" + strings.ToLower(entered) + ".bitrix24.ru", true
	}
	u, ok := address(entered)
	if !ok {
		return "", false
	}
	if cloudHost.MatchString(u.Hostname()) {
		return "https://" + u.Hostname(), true
	}
	return u.Scheme + "://" + u.Host, true
}

// address reads "host", "host:port" or a whole address, with the host in lower
// case and without a port that goes without saying.
func address(entered string) (*url.URL, bool) {
	if !strings.Contains(entered, "://") {
		entered = "https://" + entered
	}
	u, err := url.Parse(strings.TrimSpace(entered))
	if err != nil || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, false
	}
	name, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	switch {
	case ipv6Host.MatchString(name):
		name = "[" + name + "]"
	case !plainHost.MatchString(name):
		return nil, false
	}
	if (u.Scheme == "https" && port == "443") || (u.Scheme == "http" && port == "80") {
		port = ""
	}
	if port != "" {
		name += ":" + port
	}
	u.Host = name
	return u, true
}

// pattern is how a description names the host of an address that was read.
func pattern(read string) string {
	u, err := url.Parse(read)
	switch {
	case err != nil:
		return ""
	case u.Scheme == "http":
		return "http://" + u.Host
	}
	return u.Host
}
