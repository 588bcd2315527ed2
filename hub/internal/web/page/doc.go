// Package page holds the pages of the web hub, one component each, made of the
// components of package ui and the values of package view. A page begins with a
// summary in words, and shows the details below.
package page
