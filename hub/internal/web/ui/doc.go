// Package ui holds the components that pages are made of: the frame, icons,
// status words, times, fields, notices, dialogs.
//
// The walk of a page: page.X calls App (or Front, for strangers), which writes
// the document around it; inside, components turn values of package view into
// elements. They write no inline script and no inline style, for the pages'
// Content-Security-Policy allows neither, and every text that is not ours goes
// through templ's escaping.
package ui
