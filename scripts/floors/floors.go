package main

// floor is a level of the house. A package may import those of lower floors; within a
// floor, packages do not meet unless within says so.
type floor struct {
	name, is string
	packages []string
}

// floors are all packages of the hub, the lowest first, by their path below hub/internal;
// those elsewhere in the module by their path with a slash before it.
var floors = []floor{
	{"leaves", "of use to everybody, and using nothing of ours", []string{
		"bounded", "calendar", "changes", "clock", "config", "crashpoint", "i18n", "mount", "randtoken", "seal", "tracing", "web/assets",
	}},
	{"domain", "values and rules without I/O, and what plugins are made of", []string{"connection", "service", "policy", "pluginpack", "sandbox"}},
	{"machinery", "requests and plugins: what goes out, when, and what comes back", []string{
		"egress", "endpoint", "exchange", "journal", "newest", "pluginhost", "operation", "channel",
	}},
	{"rows", "the pool of the database and one package for each kind of rows", []string{
		"store/db", "store/auditdb", "store/authdb", "store/bulkdb", "store/grantdb", "store/keydb", "store/noticedb", "store/peopledb",
		"store/plugindb", "store/renewaldb", "store/replicadb", "store/servicedb", "store/statsdb",
	}},
	{"store", "the rows by area, and the statement of a pull", []string{"store"}},
	{"work", "what keeps grants alive and people told, each a package of its own", []string{
		"access", "audit", "authflow", "backup", "catalogue", "definitions", "doctor", "escalation", "identity", "incident", "installer", "jobs", "keyring",
		"metrics", "restored", "scheduler", "testcall", "tokensource", "withdrawn",
	}},
	{"acts", "each thing that a person, key, link or the hub does: checked, done and recorded", []string{
		"app/act", "app/connections", "app/data", "app/definitions", "app/grants", "app/keys", "app/notifications", "app/overview", "app/people", "app/plugins", "app/services", "bulk",
	}},
	{"doors", "pages and API: they only translate", []string{"api", "web", "web/page", "web/ui", "web/view"}},
	{"hub", "where the parts are wired", []string{"/hub"}},
	{"commands", "what people run", []string{"/cmd/evergrant", "/hub/authorkit"}},
	{tests, "what only tests import, and tests of whole hubs; packages here meet freely", []string{
		"app/apptest", "channel/channeltest", "connection/connectiontest", "pluginhost/plugintest", "simulation", "store/storetest", "waittest",
		"/hub/test/hubtest", "/hub/test/e2e", "/hub/test/browser", "/hub/test/bench", "/hub/test/foreign",
		"/hub/test/chaos", "/hub/test/chaos/authority", "/hub/test/chaos/plugin",
	}},
}

// tests is the highest floor: nobody imports from it, and it imports from all.
const tests = "tests"

// within are the imports between packages of one floor, with what they are for. Each one is
// a decision: a new one is written here, or the packages do not meet.
var within = map[string]map[string]string{
	"policy":            {"connection": "what trouble a policy is for"},
	"exchange":          {"egress": "sends what spends something"},
	"operation":         {"egress": "carries a plugin's requests", "endpoint": "waits for a permit", "exchange": "reads replies to their end", "journal": "answers again from it", "pluginhost": "calls plugins"},
	"store/auditdb":     {"store/db": "pool"},
	"store/authdb":      {"store/db": "pool"},
	"store/bulkdb":      {"store/db": "pool", "store/grantdb": "which connections a run is for"},
	"store/grantdb":     {"store/db": "pool"},
	"store/keydb":       {"store/db": "pool"},
	"store/noticedb":    {"store/db": "pool", "store/grantdb": "whose trouble it is"},
	"store/peopledb":    {"store/db": "pool", "store/authdb": "links of who leaves", "store/grantdb": "which connections a key opens"},
	"store/plugindb":    {"store/db": "pool"},
	"store/renewaldb":   {"store/db": "pool", "store/grantdb": "the row that is renewed"},
	"store/replicadb":   {"store/db": "pool", "store/grantdb": "what a restore sets back", "store/noticedb": "messages that a run leaves", "store/renewaldb": "intents that a run leaves"},
	"store/servicedb":   {"store/db": "pool"},
	"store/statsdb":     {"store/db": "pool", "store/bulkdb": "what waits in runs", "store/grantdb": "status of connections"},
	"backup":            {"identity": "whose folder it is"},
	"catalogue":         {"audit": "who acts"},
	"definitions":       {"audit": "who acts"},
	"doctor":            {"backup": "how old the last one is", "identity": "whether the folder is a copy", "installer": "what plugins are in"},
	"escalation":        {"access": "who owns the hub"},
	"incident":          {"escalation": "has people notified"},
	"installer":         {"audit": "who acts"},
	"metrics":           {"escalation": "messages that wait", "jobs": "states of jobs"},
	"restored":          {"identity": "which replica compares"},
	"scheduler":         {"tokensource": "renews what is due"},
	"testcall":          {"tokensource": "pulls the token of the call"},
	"tokensource":       {"identity": "whose lease it is", "restored": "what is held after a restore"},
	"withdrawn":         {"access": "keys and people", "catalogue": "grants"},
	"app/connections":   {"app/act": "records"},
	"app/data":          {"app/act": "records", "bulk": "decides about many"},
	"app/definitions":   {"app/act": "records"},
	"app/grants":        {"app/act": "records"},
	"app/keys":          {"app/act": "records"},
	"app/notifications": {"app/act": "records"},
	"app/people":        {"app/act": "records"},
	"app/plugins":       {"app/act": "records"},
	"app/services":      {"app/act": "records"},
	"bulk":              {"app/act": "records", "app/connections": "does each item as the person would"},
	"web":               {"web/page": "pages", "web/view": "what pages show"},
	"web/page":          {"web/ui": "parts of pages", "web/view": "what pages show"},
	"web/ui":            {"web/view": "what pages show"},
	"/cmd/evergrant":    {"/hub/authorkit": "the commands of plugin authors"},
}
