package view

// Proof is the form for a fresh proof of identity.
type Proof struct {
	// ReturnTo is the page to go back to.
	ReturnTo string
	// Ended is set if a form waits in the browser.
	Ended bool
	// Password and Code are what is asked for.
	Password, Code bool
	Wrong          bool
	Wait           Wait
	// Login offers passkeys and the sign-in service.
	Login Login
}
