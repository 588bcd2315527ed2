// Package loginstest emulates the login of Taxcom-Kassa's API v2 and the token endpoint of
// MoySklad: sessions that live from their last use, tokens of which a new one ends all
// earlier ones of the user, and accounts that are locked after a few wrong logins.
package loginstest
