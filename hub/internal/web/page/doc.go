// Package page holds the pages of the web hub, one component each, made of the
// components of package ui and the values of package view. A page asks one
// question, answers it in words, and shows the rest below.
package page
