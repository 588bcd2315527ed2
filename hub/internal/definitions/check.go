package definitions

import (
	"errors"
	"fmt"
	"strings"

	"github.com/evergrant/evergrant/sdk/definition"
	"github.com/evergrant/evergrant/sdk/provider"
)

// Check reads a document as it would be served. Errors: *RefusedError with problems that
// have lines.
func (d *Definitions) Check(text string) (*definition.Definition, error) {
	read, err := definition.Parse([]byte(text))
	problems, wrong := errors.AsType[definition.ParseErrors](err)
	if err != nil && !wrong {
		return nil, err
	}
	if !wrong {
		problems = d.nameProblems(text, read.Name)
	}
	if len(problems) == 0 {
		return read, nil
	}
	refused := refuse(CodeProblems, "The document has problems.", "В документе есть ошибки.")
	refused.Problems = problems
	return nil, refused
}

// nameProblems are those of a name that cannot be served here.
func (d *Definitions) nameProblems(text, name string) definition.ParseErrors {
	var said provider.Text
	switch by := d.servedBy(name); {
	case isDraft(name):
		said = provider.Text{EN: "Publishers draft and draft-… are those of drafts; choose another name.", RU: "Издатели draft и draft-… заняты черновиками; выберите другое имя."}
	case !provider.ValidName(DraftProvider(name)):
		said = provider.Text{EN: "The name is too long; choose one with at most 57 letters.", RU: "Имя слишком длинное; выберите имя не длиннее 57 знаков."}
	case by != "" && by != Plugin:
		said = provider.Text{
			EN: fmt.Sprintf("The plugin %s serves a provider of this name already; choose another one.", by),
			RU: fmt.Sprintf("Провайдера с таким именем уже обслуживает плагин %s; выберите другое имя.", by),
		}
	default:
		return nil
	}
	return definition.ParseErrors{{Line: nameLine(text), Path: "name", Text: said}}
}

func (d *Definitions) servedBy(name string) string {
	if d.host == nil {
		return ""
	}
	return d.host.ServedBy(name)
}

// nameLine is the line of a document's name.
func nameLine(text string) int {
	for n, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "name:") {
			return n + 1
		}
	}
	return 1
}
