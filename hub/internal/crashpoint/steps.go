package crashpoint

// The steps of a renewal, in their order.
const (
	BeforeIntent   = "before-intent"   // it was decided to renew, nothing is written
	AfterIntent    = "after-intent"    // the intent is committed, nothing is sent
	RequestWritten = "request-written" // the request is with the network
	ReplyReceived  = "reply-received"  // the whole reply is here, in memory only
	Journaled      = "journaled"       // the reply is durable, the plugin has not seen it
	Copied         = "copied"          // another replica can finish as well: the reply is in the database
	Parsed         = "parsed"          // the plugin made a token of it, nothing is saved
	Saved          = "saved"           // the token set is committed, the journal does not know
	LeaseFreed     = "lease-freed"     // everything is done
)

// The steps of a message to people.
const (
	BeforeSend = "before-send" // it is written, nothing is sent
	Sent       = "sent"        // the channel has taken it, nothing is noted
)

// Sends lists them in their order.
var Sends = []string{BeforeSend, Sent}

// The steps of an authorization, from the service's reply to the grants.
const (
	Exchanged   = "exchanged"    // the plugin made token sets of the reply, nothing is saved
	MainWritten = "main-written" // the main connection's row is written, nothing is committed
	Granted     = "granted"      // all token sets are committed, the browser was not told
)

// Authorizes lists them in their order.
var Authorizes = []string{Exchanged, MainWritten, Granted}

// The moments between AfterIntent and RequestWritten, which not every renewal has.
const (
	Dialled = "dialled" // a connection was made, nothing was written to it
	Writing = "writing" // whatever decides on a request has let it go, no byte is out
)

// Between lists them in their order.
var Between = []string{Dialled, Writing}

// Steps lists those of a renewal in their order.
var Steps = []string{BeforeIntent, AfterIntent, RequestWritten, ReplyReceived, Journaled, Copied, Parsed, Saved, LeaseFreed}

// The moments of a renewal between two client secrets, which only one has whose service
// refuses the first.
const (
	SecretRefused  = "secret-refused"  // the refusal is journaled, its intent is open
	BetweenSecrets = "between-secrets" // nothing is in flight, the other secret was not sent
)

// Secrets lists them in their order.
var Secrets = []string{SecretRefused, BetweenSecrets}
