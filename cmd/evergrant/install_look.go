package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/evergrant/evergrant/hub/authorkit"
	"github.com/evergrant/evergrant/sdk/provider"
)

// hubKey is a key whose signatures count, or counted, at a hub.
type hubKey struct {
	ID        string `json:"id"`
	Title     string `json:"title"`
	Public    string `json:"public"`
	RevokedAt string `json:"revoked_at"`
}

// packageLook is a package beside what a hub has.
type packageLook struct {
	*authorkit.Verified

	// there is set if the hub has a plugin of its name; running is the version and the
	// package of it that runs, both "" if none does.
	there             bool
	running, runsFrom string
	// added and dropped are hosts that only this package, and only the one that runs, may
	// talk to.
	added, dropped []string
	// signer is the owner of the signature.
	signer string
	// trusted is set if the hub trusts the key that has signed it.
	trusted bool
}

// compare sets the package against the plugin that the hub has under its name.
func (l *packageLook) compare(p pluginView) {
	hosts := p.Hosts
	l.there, l.running, l.runsFrom = true, p.Version, p.Package
	for _, pack := range p.Packages {
		if pack.Sum == p.Package {
			l.running, hosts = pack.Version, pack.Hosts
		}
	}
	if l.running == "" && p.Package == "" {
		l.there = false // packages wait, and none runs
		return
	}
	wanted := l.Manifest.Hosts()
	l.added = slices.DeleteFunc(slices.Clone(wanted), func(h string) bool { return slices.Contains(hosts, h) })
	l.dropped = slices.DeleteFunc(slices.Clone(hosts), func(h string) bool { return slices.Contains(wanted, h) })
}

// signedBy records a signing key of the hub that the package claims to be signed by.
func (l *packageLook) signedBy(file string, k hubKey) {
	switch _, err := authorkit.Verify(file, k.Public); {
	case err != nil:
		l.signer = fmt.Sprintf("key %s (%s), but the signature is wrong: %v", k.ID, k.Title, err)
	case k.RevokedAt != "":
		l.signer = fmt.Sprintf("key %s (%s), which the hub does not trust any more", k.ID, k.Title)
	default:
		l.trusted = true
		l.signer = fmt.Sprintf("key %s (%s), which the hub trusts", k.ID, k.Title)
	}
}

// show prints all that has to be known for the consent.
func (l *packageLook) show(out io.Writer) {
	m := l.Manifest
	say := func(what, format string, args ...any) {
		_, _ = fmt.Fprintf(out, "  %-12s %s\n", what, fmt.Sprintf(format, args...))
	}
	_, _ = fmt.Fprintf(out, "%s %s for %s/%s, sha256:%s\n", m.Name, m.Version, m.OS, m.Arch, l.Sum)
	say("version", "%s", l.step())
	switch {
	case l.Signer == "":
		say("signed by", "nobody")
	case l.signer == "":
		say("signed by", "key %s, which the hub does not know", l.Signer)
	default:
		say("signed by", "%s", l.signer)
	}
	say("conformance", "%s", l.proof())
	for _, p := range m.Providers {
		say("provider", "%s%s", p.Name, unpublished(p.Name))
		for _, host := range p.Hosts {
			say("  host", "%s%s", host, l.mark(host))
		}
	}
	for _, host := range l.dropped {
		say("  host", "%s (no more)", host)
	}
}

// unpublished marks a provider without a publisher.
func unpublished(name string) string {
	if provider.PublisherOf(name) == "" {
		return "  (a name without a publisher: for plugins of the hub, or your own)"
	}
	return ""
}

// mark marks a host that is added.
func (l *packageLook) mark(host string) string {
	if slices.Contains(l.added, host) {
		return "  (added: " + l.running + " does not talk to it)"
	}
	return ""
}

// step compares its version with the running one.
func (l *packageLook) step() string {
	switch {
	case !l.there:
		return "the first one here"
	case l.runsFrom == l.Sum:
		return "this very package is in use"
	case l.runsFrom == "":
		return "in the place of the program in the folder of plugins (" + l.running + ")"
	}
	switch semver.Compare("v"+l.Manifest.Version, "v"+l.running) {
	case 1:
		return l.running + " → " + l.Manifest.Version
	case -1:
		return l.running + " → " + l.Manifest.Version + ", which is older: --downgrade allows it"
	}
	return l.running + " again, as another package"
}

// proof is what the author's run of the conformance suite has shown for this program.
func (l *packageLook) proof() string {
	c, failed := l.Conformance()
	switch {
	case c == "":
		return "not shown: the package holds no report of the suite about this program"
	case len(failed) > 0:
		return c + ": " + strings.Join(failed, ", ")
	}
	return c
}
