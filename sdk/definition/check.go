package definition

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/evergrant/evergrant/sdk/provider"
)

// check finds what a schema cannot state.
func (d *Definition) check(top *yaml.Node) ParseErrors {
	c := &checking{d: d, top: top}
	c.evidence()
	c.placeholders()
	c.hosts()
	c.options("options", d.Options)
	c.options("connection_options", d.ConnectionOptions)
	c.staticKey()
	c.grants()
	if len(c.problems) == 0 {
		if err := d.Describe().Validate(); err != nil {
			c.add("", "The description cannot be used: "+err.Error(), "Описание нельзя использовать: "+err.Error())
		}
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return a.Line - b.Line })
	return c.problems
}

type checking struct {
	d        *Definition
	top      *yaml.Node
	problems ParseErrors
}

// add notes a problem at a path with dots.
func (c *checking) add(path, en, ru string) {
	var names []string
	if path != "" {
		names = strings.Split(path, ".")
	}
	c.problems = append(c.problems, Problem{Line: nodeAt(c.top, names).Line, Path: path, Text: provider.Text{EN: en, RU: ru}})
}

// evidence requires that each fact which decides renewal has some, and that each evidence
// is of something and whole.
func (c *checking) evidence() {
	for _, fact := range c.d.facts {
		if _, _, ok := c.d.EvidenceOf(fact); decides(fact) && !ok {
			c.add(fact, "This decides renewal and has no evidence: add it under evidence, as "+fact+" or for all of "+firstOf(fact)+".",
				"Это определяет продление, а подтверждения нет: добавьте его в evidence, для "+fact+" или для всего "+firstOf(fact)+".")
		}
	}
	for path, e := range c.d.Evidence {
		of := func(fact string) bool { return fact == path || strings.HasPrefix(fact, path+".") }
		switch {
		case !slices.ContainsFunc(c.d.facts, of):
			c.addEvidence(path, "There is no fact "+path+" in this document.", "В документе нет факта "+path+".")
		case e.Kind.Proven() && (e.Source == "" || e.Read.IsZero()):
			c.addEvidence(path, "Add source and read: where it says so, and the day it was read.", "Добавьте source и read: где это сказано и в какой день прочитано.")
		case e.Kind == EvidenceTwoSources && (e.Second == "" || e.Second == e.Source):
			c.addEvidence(path, "Add the second source, another than the first.", "Добавьте второй источник, отличный от первого.")
		case e.Kind == EvidenceVendor && !strings.HasPrefix(e.Source, "https://"):
			c.addEvidence(path, "The source of the vendor is an https address.", "Источник производителя — адрес https.")
		case !e.Kind.Proven() && e.Note == (Text{}):
			c.addEvidence(path, "Add a note for the administrator: what is not known.", "Добавьте note для администратора: что неизвестно.")
		}
	}
}

// addEvidence notes a problem at the evidence of a path, whose name has dots.
func (c *checking) addEvidence(path, en, ru string) {
	node := nodeAt(c.top, []string{"evidence"})
	c.problems = append(c.problems, Problem{Line: lineOf(node, path), Path: "evidence." + path, Text: provider.Text{EN: en, RU: ru}})
}

func firstOf(path string) string {
	first, _, _ := strings.Cut(path, ".")
	return first
}

// placeholders requires that each one is known, and its option is there.
func (c *checking) placeholders() {
	walkScalars(c.top, "", func(path string, node *yaml.Node) {
		switch firstOf(path) {
		case "authorization", "token", "device", "introspection", "userinfo", "revocation":
		default:
			return
		}
		for _, m := range placeholderRE.FindAllStringSubmatch(node.Value, -1) {
			if problem := c.unknown(m[1], m[2]); problem != (provider.Text{}) {
				c.problems = append(c.problems, Problem{Line: node.Line, Path: path, Text: problem})
			}
		}
	})
}

// unknown is what is wrong with a placeholder; zero if nothing is.
func (c *checking) unknown(source, name string) provider.Text {
	listed := func(options []Option) bool {
		return slices.ContainsFunc(options, func(o Option) bool { return o.Name == name })
	}
	switch {
	case name == "" && slices.Contains(plainSources, source), name != "" && slices.Contains([]string{"extra", "callback"}, source):
	case source == "option" && listed(c.d.Options), source == "connection" && listed(c.d.ConnectionOptions):
	case source == "private" && c.keeps(name):
	case source == "option" || source == "connection":
		return provider.Text{EN: fmt.Sprintf("There is no option %q.", name), RU: fmt.Sprintf("Параметра «%s» нет.", name)}
	case source == "private":
		return provider.Text{
			EN: fmt.Sprintf("Nothing keeps %q: name it in authorization.keep or token.reply.private.", name),
			RU: fmt.Sprintf("«%s» нигде не сохраняется: назовите его в authorization.keep или token.reply.private.", name),
		}
	default:
		return provider.Text{EN: fmt.Sprintf("There is no placeholder {%s}.", source), RU: fmt.Sprintf("Подстановки {%s} нет.", source)}
	}
	return provider.Text{}
}

func (c *checking) keeps(name string) bool {
	if slices.Contains(c.d.Token.Reply.Private, name) {
		return true
	}
	if c.d.Authorization == nil {
		return false
	}
	_, kept := c.d.Authorization.Keep[name]
	return kept
}

// hosts requires that each host of an address can be named beforehand.
func (c *checking) hosts() {
	for _, a := range c.d.addresses() {
		if _, ok := hostPattern(a.url); ok || a.url == "" {
			continue
		}
		if !c.d.names(a) {
			c.add(a.path, "Name the hosts that this may become under hosts, such as *.example.com; with client_secret: true if the secret is sent there.",
				"Назовите в hosts узлы, которыми это может стать, например *.example.com, и client_secret: true, если туда отправляется секрет.")
		}
	}
}

func (c *checking) options(path string, options []Option) {
	for i, o := range options {
		if _, err := regexp.Compile(o.Pattern); err != nil {
			c.add(fmt.Sprintf("%s.%d.pattern", path, i), "This is no regular expression (RE2).", "Это не регулярное выражение (RE2).")
		}
		if slices.ContainsFunc(options[:i], func(x Option) bool { return x.Name == o.Name }) {
			c.add(fmt.Sprintf("%s.%d.name", path, i), "An option above has this name.", "Это имя уже есть выше.")
		}
	}
}

// grants requires that tokens can be obtained and renewed in the way that is said.
func (c *checking) grants() {
	d := c.d
	if !d.requestsTokens() && d.StaticKey == nil {
		c.add("", "Nothing obtains tokens: describe authorization, device, client_credentials or static_key.", "Нечем получить токены: опишите authorization, device, client_credentials или static_key.")
	}
	if d.requestsTokens() && d.Token.URL == "" {
		c.add("", "Add token: where tokens are requested.", "Добавьте token: где запрашиваются токены.")
	}
	replaces := d.Renewal.Auto == string(provider.AutoRenewExchange) || d.Renewal.Auto == string(provider.AutoRenewProlong)
	if replaces && d.Token.RefreshForm == nil {
		c.add("renewal.auto", "Say in token.refresh_form what such a renewal sends.", "Укажите в token.refresh_form, что отправляет такое продление.")
	}
	if d.Renewal.Rotation == string(provider.RotationRotatesWithGrace) && d.Renewal.Grace <= 0 {
		c.add("renewal.rotation", "Add grace: how long the old refresh token stays good.", "Добавьте grace: сколько ещё действует прежний refresh-токен.")
	}
}

// walkScalars visits all scalars of a node.
func walkScalars(node *yaml.Node, path string, visit func(path string, node *yaml.Node)) {
	join := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			walkScalars(node.Content[i+1], join(node.Content[i].Value), visit)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			walkScalars(item, join(fmt.Sprint(i)), visit)
		}
	case yaml.ScalarNode:
		visit(path, node)
	}
}
