package page

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evergrant/evergrant/hub/internal/i18n"
	"github.com/evergrant/evergrant/hub/internal/web/view"
)

// auditKinds are the beginnings of acts that can be chosen.
var auditKinds = []string{
	"connection.", "token.", "bulk.", "service.", "key.", "person.", "plugin.", "definition.", "access.", "egress.",
	"escalation.", "delivery.", "channel.", "contact.", "policy.", "text.", "calendar.", "request.", "audit.", "data.",
}

// outcomes are those that can be chosen.
var outcomes = []string{"done", "refused", "failed", "begun"}

// outcomeName is how an act went, in the reader's words; nothing for records from before
// outcomes were recorded.
func outcomeName(ctx context.Context, outcome string) string {
	if outcome == "" {
		return ""
	}
	return i18n.T(ctx, "audit_outcome."+outcome)
}

// actName returns an act in the reader's language; the name itself if this version has no text
// for it.
func actName(ctx context.Context, act string) string {
	key := "audit_act." + strings.ReplaceAll(act, ".", "_")
	if said := i18n.T(ctx, key); said != key {
		return said
	}
	return act
}

// actDetail is a record's detail in one line. The number of a batch of pulls is
// left out; the export has it.
func actDetail(ctx context.Context, detail map[string]string) string {
	parts := make([]string, 0, len(detail))
	for _, word := range slices.Sorted(maps.Keys(detail)) {
		if word == "batch" || detail[word] == "" {
			continue
		}
		key := "audit_word." + word
		said := i18n.T(ctx, key)
		if said == key {
			said = word
		}
		value := wordValue(ctx, word, detail[word])
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			value = i18n.Clock(ctx, at)
		}
		parts = append(parts, said+": "+value)
	}
	return strings.Join(parts, "; ")
}

// wordValue is a value of a record's detail in the reader's words, where it is one of
// ours.
func wordValue(ctx context.Context, word, value string) string {
	key := "audit_value." + word + "_" + value
	if word == "role" {
		key = "role." + value
	}
	if said := i18n.T(ctx, key); said != key {
		return said
	}
	return i18n.Phrase(ctx, value)
}

// actorName is who acted, in the reader's words.
func actorName(ctx context.Context, r view.AuditRecord) string {
	switch r.ActorKind {
	case "hub":
		return i18n.T(ctx, "audit.hub")
	case "key":
		return i18n.T(ctx, "audit.key", "Name", r.Actor)
	case "front":
		return i18n.T(ctx, "audit.front")
	case "link":
		return i18n.T(ctx, "audit.link", "Name", r.Actor)
	case "person":
		if r.Actor == "" { // of a login that was refused
			return i18n.T(ctx, "audit.stranger")
		}
	}
	return r.Actor
}

// momentText describes an event in a connection's past.
func momentText(ctx context.Context, m view.Moment) string {
	who := m.Who
	switch m.ActorKind {
	case "hub":
		who = i18n.T(ctx, "audit.hub")
	case "front":
		who = i18n.T(ctx, "audit.front")
	case "link":
		who = i18n.T(ctx, "audit.link", "Name", m.Who)
	}
	if m.Outcome != "" {
		said := who + ": " + actName(ctx, m.Key) + " — " + outcomeName(ctx, m.Outcome)
		if m.Detail != "" {
			said += ": " + i18n.Phrase(ctx, m.Detail)
		}
		return said
	}
	if key := "moment." + strings.ReplaceAll(strings.TrimPrefix(m.Key, "connection."), ".", "_"); slices.Contains(moments, key) {
		return i18n.T(ctx, key, "Who", who, "Detail", i18n.Phrase(ctx, m.Detail))
	}
	return who + ": " + actName(ctx, m.Key)
}

// moments are the sentences of a connection's past.
var moments = []string{
	"moment.generation", "moment.failure", "moment.add", "moment.authorize", "moment.paste", "moment.renew", "moment.pause", "moment.resume",
	"moment.revoke", "moment.codes", "moment.tag", "moment.link", "moment.token_pull", "moment.token_reject", "moment.edit",
	"moment.owner", "moment.restore", "moment.import", "moment.import_table", "moment.escalation_drill", "moment.test",
	"moment.authorized", "moment.follow_link",
}
