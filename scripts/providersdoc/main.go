// Command providersdoc writes docs/providers.md: what the shipped definitions say of the
// services' renewal, and what that is known from. `make generate` runs it.
package main

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/plugins/declarative/definitions"
	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/provider"
)

const target = "docs/providers.md"

const opening = `<!-- written by go run ./scripts/providersdoc -->

# Services that are described

Each of these services is a [definition](definitions.md): a document of ` + "`plugins/declarative/definitions`" + `, served by the plugin ` + "`declarative`" + `. What decides
renewal has its evidence, with the day on which it was read. *Unverified* facts are shown to the administrator who adds the service. Which services are left out, and why, is told in
[definitions](definitions.md#services-that-are-left-out).

| Service | Access token lives | Renewal | Rotation | PKCE | Grants | Evidence |
|---|---|---|---|---|---|---|
`

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "providersdoc:", err)
		os.Exit(1)
	}
}

func write() error {
	shipped, err := definitions.Shipped()
	if err != nil {
		return err
	}
	return os.WriteFile(target, []byte(page(shipped)), 0o644) //nolint:gosec // G306: a page of the documentation
}

// page is the whole page.
func page(shipped []*definition.Definition) string {
	var b strings.Builder
	b.WriteString(opening)
	for _, d := range shipped {
		b.WriteString(row(d))
	}
	proven := len(slices.DeleteFunc(slices.Clone(shipped), func(d *definition.Definition) bool { return !d.Proven() }))
	fmt.Fprintf(&b, "\n%d services, %d of them with evidence for every fact that decides renewal.\n", len(shipped), proven)
	return b.String()
}

func row(d *definition.Definition) string {
	described := d.Describe()
	var grants []string
	for _, g := range described.Grants {
		grants = append(grants, "`"+string(g)+"`")
	}
	return fmt.Sprintf("| %s (`%s`) | %s | %s | %s | %s | %s | %s |\n", described.Title.EN, described.Name,
		span(described.Lifetimes.AccessToken), renewal(described), rotation(described), described.PKCE, strings.Join(grants, ", "), evidence(d))
}

func span(d time.Duration) string {
	switch {
	case d == provider.Never:
		return "for ever"
	case d == 0:
		return "as each reply says"
	case d == 24*time.Hour:
		return "1 day"
	case d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	default:
		return strings.TrimSuffix(strings.TrimSuffix(d.String(), "0s"), "0m")
	}
}

func renewal(d *provider.Description) string {
	said := "`" + string(d.AutoRenew) + "`, " + string(cmp.Or(d.RenewWindow.Kind, provider.RenewBeforeExpiry))
	if life := d.Lifetimes.RefreshToken; life > 0 {
		said += "; the refresh token lives " + span(life)
	}
	if idle := d.Lifetimes.RefreshTokenIdle; idle > 0 {
		said += "; unused for " + span(idle)
	}
	return said
}

func rotation(d *provider.Description) string {
	said := "`" + string(cmp.Or(d.Rotation.Kind, provider.RotationNone)) + "`"
	if d.Rotation.RepeatSafe {
		said += ", may be repeated"
	}
	return said
}

// evidence is a line for each path that evidence is given for.
func evidence(d *definition.Definition) string {
	var said []string
	for path, e := range d.Evidence {
		var text strings.Builder
		text.WriteString(path + ": " + string(e.Kind))
		for _, source := range []string{e.Source, e.Second} {
			if strings.HasPrefix(source, "https://") {
				fmt.Fprintf(&text, " [%s](%s)", hostOf(source), source)
			} else if source != "" {
				text.WriteString(" " + source)
			}
		}
		if !e.Read.IsZero() {
			text.WriteString(", " + e.Read.Format(time.DateOnly))
		}
		said = append(said, text.String())
	}
	slices.Sort(said)
	return strings.Join(said, "<br>")
}

func hostOf(address string) string {
	host, _, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
	return host
}
