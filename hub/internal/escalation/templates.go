package escalation

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/evergrant/evergrant/hub/internal/policy"
)

//go:embed templates.en.toml
var templatesEN []byte

//go:embed templates.ru.toml
var templatesRU []byte

// Parts of a template.
const (
	PartSubject = "subject" // of an e-mail
	PartShort   = "short"   // for SMS
	PartText    = "text"    // for e-mail and Telegram
)

// Parts lists them.
var Parts = []string{PartSubject, PartShort, PartText}

// Languages of messages.
var Languages = []string{"en", "ru"}

// texts are the sentences as delivered: by language, then by event, then by part. The
// event "words" holds what fields are made of.
var texts = map[string]map[string]map[string]string{"en": read(templatesEN), "ru": read(templatesRU)}

func read(data []byte) map[string]map[string]string {
	var t map[string]map[string]string
	if err := toml.Unmarshal(data, &t); err != nil {
		panic("the texts of messages cannot be read: " + err.Error()) // they are part of the program
	}
	return t
}

// Topics that are no event of their own.
const (
	// topicPerson: the days before the end of a grant share a text.
	topicPerson    = "person_needed"
	topicRecovered = "recovered"
	// topicRequest is no incident: a person requests a service.
	topicRequest = string(policy.ServiceRequested)
	// topicHosts is no incident either: a changed host, or a decision that waits for an
	// owner.
	topicHosts = string(policy.HostsChanged)
	// topicSecret is a client secret of a service that ends.
	topicSecret = string(policy.SecretEnds)
	// topicCertificate is a client certificate of a service that ends.
	topicCertificate = string(policy.CertificateEnds)
	// topicScopes is a connection that lacks scopes.
	topicScopes = string(policy.ScopesNeeded)
	// topicWithdrawn is an end because the connections were deleted, paused or given
	// back: nothing works again.
	topicWithdrawn = "withdrawn"
)

// Topics are what has a text of its own.
var Topics = []string{string(policy.GrantEnded), topicPerson, string(policy.OperatorNeeded), string(policy.RenewalFailed), string(policy.PluginFailed), topicScopes, topicSecret, topicCertificate, topicRequest, topicHosts, topicRecovered, topicWithdrawn}

// TopicOf is the topic of an event.
func TopicOf(e policy.Event) string {
	if strings.HasPrefix(string(e), topicPerson) {
		return topicPerson
	}
	return string(e)
}

// TemplateKey names an edited text in the store.
func TemplateKey(topic, lang, part string) string { return topic + "." + lang + "." + part }

// Original is a text as the program has it.
func Original(topic, lang, part string) string { return texts[lang][topic][part] }

func phrase(lang, key string) string { return texts[lang]["words"][key] }

// Fields are what a text may name in braces. None of them is a token or a secret, so
// no text can hold one; link and acknowledge open nothing but what the message is about.
var Fields = []string{
	"title", "name", "service", "count", "connections", "since", "until", "days", "stops", "said", "remedy", "link", "acknowledge", "page", "hub",
}

var fieldRE = regexp.MustCompile(`\{([A-Za-z_]*)\}`)

// UnknownFieldError is a text that names something that there is not.
type UnknownFieldError struct{ Field string }

// Error implements error.
func (e *UnknownFieldError) Error() string {
	return fmt.Sprintf("the text names {%s}; there are only {%s}", e.Field, strings.Join(Fields, "}, {"))
}

// CheckTemplate reports what is wrong with an edited text. Errors: *UnknownFieldError.
func CheckTemplate(text string) error {
	for _, m := range fieldRE.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(Fields, m[1]) {
			return &UnknownFieldError{Field: m[1]}
		}
	}
	return nil
}

var (
	spacesRE = regexp.MustCompile(`[ \t]+`)
	gapsRE   = regexp.MustCompile(`\n{3,}`)
)

// fill puts fields into a text. Lines whose fields are all empty are left out.
func fill(text string, fields map[string]string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	kept := lines[:0]
	for _, line := range lines {
		named := fieldRE.FindAllStringSubmatch(line, -1)
		empty := len(named) > 0
		for _, m := range named {
			empty = empty && fields[m[1]] == ""
		}
		if empty {
			continue
		}
		line = fieldRE.ReplaceAllStringFunc(line, func(m string) string { return fields[m[1:len(m)-1]] })
		kept = append(kept, strings.TrimSpace(spacesRE.ReplaceAllString(line, " ")))
	}
	return strings.TrimSpace(gapsRE.ReplaceAllString(strings.Join(kept, "\n"), "\n\n"))
}

// sample fields show an edited text in a preview.
func sample(lang, hub string) map[string]string {
	fields := maps.Clone(texts[lang]["sample"])
	fields["hub"] = hub
	fields["link"], fields["acknowledge"], fields["page"] = hub+"/grant/…", hub+"/ack/…", hub+"/escalations/…"
	return fields
}

// Preview is a text with made-up fields. Errors: *UnknownFieldError.
func Preview(text, lang, hub string) (string, error) {
	if err := CheckTemplate(text); err != nil {
		return "", err
	}
	return fill(text, sample(lang, hub)), nil
}
