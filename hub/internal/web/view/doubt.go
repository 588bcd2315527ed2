package view

import (
	"github.com/evergrant/evergrant/hub/internal/service"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Doubt is an option that was probably stored wrong; Stored and Default are the titles
// of the values, or "true" and "false".
type Doubt struct {
	Title, Help     provider.Text
	Stored, Default string
}

// DoubtsOf are the options of a service that an administrator has to look at.
func DoubtsOf(s service.Service, lang string) []Doubt {
	var doubts []Doubt
	for _, d := range s.Doubts() {
		o := d.Option
		doubts = append(doubts, Doubt{
			Title: o.Title, Help: o.Help,
			Stored: ChoiceTitle(o, OptionText(d.Stored), lang), Default: ChoiceTitle(o, OptionText(d.Default), lang),
		})
	}
	return doubts
}
