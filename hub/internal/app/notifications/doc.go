// Package notifications has the acts on who is told of trouble, and how: channels,
// contacts, policies, texts, drills, and what people do about an escalation. Each is
// checked, done and recorded here (package act); pages only translate.
package notifications
