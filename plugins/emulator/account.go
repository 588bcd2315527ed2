package emulator

import "strings"

// Account is a user of an emulator.
type Account struct {
	// ID is the number under which services know the account, unique in its Directory.
	ID int
	// Login is an e-mail address. It is compared without regard to case.
	Login string
	// Password is made up, and shown on the login page of the emulator.
	Password string
	// GivenName and FamilyName are returned by the service's account endpoint.
	GivenName, FamilyName string
}

// Name is the given name followed by the family name.
func (a Account) Name() string { return a.GivenName + " " + a.FamilyName }

// Directory are the users who can log in. The login page is filled in with the first one.
type Directory []Account

// DefaultDirectory returns Anna Ivanova and Boris Petrov: one to authorize with,
// and another one to authorize again with by mistake.
func DefaultDirectory() Directory {
	return Directory{
		{ID: 1, Login: "anna@example.test", Password: "anna", GivenName: "Anna", FamilyName: "Ivanova"},
		{ID: 2, Login: "boris@example.test", Password: "boris", GivenName: "Boris", FamilyName: "Petrov"},
	}
}

// Find returns the account with this login.
func (d Directory) Find(login string) (Account, bool) {
	for _, a := range d {
		if strings.EqualFold(a.Login, strings.TrimSpace(login)) {
			return a, true
		}
	}
	return Account{}, false
}

// Authenticate returns the account with this login, if the password is its own.
func (d Directory) Authenticate(login, password string) (Account, bool) {
	a, ok := d.Find(login)
	return a, ok && a.Password == password
}
