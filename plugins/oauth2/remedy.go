package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/evergrant/evergrant/sdk/provider"
)

// wrongOption is what PrepareService returns for an option that cannot be used.
func wrongOption(option, message string, remedy provider.Text) *provider.Error {
	return &provider.Error{Kind: provider.Blocked, Option: option, Message: message, Remedy: remedy}
}

var (
	remedyNothing = provider.Text{
		EN: "Enter the issuer, or both the authorization and the token address.",
		RU: "Укажите издателя или оба адреса: авторизации и токенов.",
	}
	remedyGrace = provider.Text{
		EN: "Enter how long the replaced refresh token stays good, for example 30s; if you do not know, choose “The refresh token is replaced”.",
		RU: "Укажите, сколько ещё действует заменённый refresh-токен, например 30s; если не знаете, выберите «Refresh-токен заменяется».",
	}
	remedyMissing = provider.Text{
		EN: "This address is not known: enter it, because the service's metadata do not name it.",
		RU: "Этот адрес неизвестен: введите его, потому что в метаданных сервиса его нет.",
	}
	remedyFragment = provider.Text{
		EN: "Enter a plain address, without a part behind #.",
		RU: "Введите обычный адрес, без части после #.",
	}
	remedyAddress = provider.Text{
		EN: "The service publishes an address that is not safe to use: it does not start with https:// or is malformed. Tell the service's operator, or enter the addresses by hand without an issuer.",
		RU: "Сервис публикует небезопасный адрес: он не начинается с https:// или испорчен. Сообщите администратору сервиса или введите адреса вручную без издателя.",
	}
	remedyUnreachable = provider.Text{
		EN: "The hub could not reach this address. Check its spelling, and whether the hub may go there through the network.",
		RU: "Хаб не смог связаться с этим адресом. Проверьте написание и доступен ли он хабу по сети.",
	}
	remedyOutage = provider.Text{
		EN: "The service answers with an error of its own at the moment. Try again in a few minutes, or enter the addresses by hand.",
		RU: "Сервис сейчас отвечает собственной ошибкой. Повторите через несколько минут или введите адреса вручную.",
	}
	remedyNotJSON = provider.Text{
		EN: "This address answers, but not with the metadata of an authorization server. Check the issuer, or enter the addresses by hand.",
		RU: "Адрес отвечает, но не метаданными сервера авторизации. Проверьте издателя или введите адреса вручную.",
	}
	remedyNoMetadata = provider.Text{
		EN: "No metadata are published under this address. Check the issuer, its path included, or enter the addresses by hand.",
		RU: "По этому адресу метаданных нет. Проверьте издателя, включая путь, или введите адреса вручную.",
	}
	remedyPKCE = provider.Text{
		EN: "The service says that it does not support PKCE with S256. Choose Off.",
		RU: "Сервис сообщает, что не поддерживает PKCE с S256. Выберите «Отключено».",
	}
	remedyClientAuth = provider.Text{
		EN: "The service names only ways of client authentication that this provider does not have. Choose one that the service's documentation allows.",
		RU: "Сервис называет только те способы проверки клиента, которых здесь нет. Выберите тот, который допускает документация сервиса.",
	}
	remedyParams = provider.Text{
		EN: "Write name=value, one a line. The parameters of OAuth itself, such as client_id, state or scope, are set by the hub.",
		RU: "Пишите имя=значение, по одному в строке. Параметры самого OAuth, такие как client_id, state и scope, задаёт хаб.",
	}
	remedyClient = provider.Text{
		EN: "Check the client ID and the client secret of the service. If both are right, choose another way of client authentication in its options.",
		RU: "Проверьте client_id и client_secret сервиса. Если они верны, выберите в его параметрах другой способ проверки клиента.",
	}
)

func remedyWellKnown(issuer string) provider.Text {
	return provider.Text{
		EN: fmt.Sprintf("Enter the issuer itself, for example %s, not the address of its metadata.", shown(issuer)),
		RU: fmt.Sprintf("Введите самого издателя, например %s, а не адрес его метаданных.", shown(issuer)),
	}
}

func remedyMismatch(issuer string) provider.Text {
	return provider.Text{
		EN: fmt.Sprintf("The server at this address calls itself %s. If that is the service you mean, enter it letter by letter.", shown(issuer)),
		RU: fmt.Sprintf("Сервер по этому адресу называет себя %s. Если это тот сервис, который вам нужен, введите это имя буква в букву.", shown(issuer)),
	}
}

// shown makes a server's text fit for a sentence.
func shown(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	if r := []rune(text); len(r) > 200 {
		text = string(r[:200]) + "…"
	}
	return "«" + text + "»"
}

// explained adds to an error of the token endpoint what a person can do about it.
func explained(err error) error {
	if e, ok := errors.AsType[*provider.Error](err); ok && e.Remedy.IsZero() && strings.EqualFold(e.Code, "invalid_client") {
		e.Remedy = remedyClient
	}
	return err
}
