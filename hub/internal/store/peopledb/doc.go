// Package peopledb reads and writes people with their sessions, invitations, passkeys and
// tries to log in, contacts, who owns which connection, and API keys.
package peopledb
