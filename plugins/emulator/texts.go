package emulator

import (
	"net/http"
	"strings"
)

// texts are the words of the pages in one language.
type texts struct {
	Lang, Emulator, NotReal, Asks, Rights, Login, Password, Accounts, Allow, Deny, WrongPassword, CopyCode string
}

var english = texts{
	Lang:          "en",
	Emulator:      "Emulator",
	NotReal:       "This is not the real service. Nothing you do here leaves this machine.",
	Asks:          "asks for access to your account.",
	Rights:        "It will be able to use",
	Login:         "Login",
	Password:      "Password",
	Accounts:      "Accounts to try:",
	Allow:         "Allow",
	Deny:          "Deny",
	WrongPassword: "There is no such login and password.",
	CopyCode:      "Copy this code into the application. It is good once and not for long.",
}

var russian = texts{
	Lang:          "ru",
	Emulator:      "Эмулятор",
	NotReal:       "Это не настоящий сервис. Всё, что вы здесь делаете, остаётся на этой машине.",
	Asks:          "запрашивает доступ к вашей учётной записи.",
	Rights:        "Ему будут доступны",
	Login:         "Логин",
	Password:      "Пароль",
	Accounts:      "Учётные записи для пробы:",
	Allow:         "Разрешить",
	Deny:          "Отказать",
	WrongPassword: "Такого логина с таким паролем нет.",
	CopyCode:      "Скопируйте этот код в приложение. Он действует один раз и недолго.",
}

// textFor takes the first language of Accept-Language that is spoken here.
func textFor(r *http.Request) texts {
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag = strings.ToLower(strings.TrimSpace(tag))
		switch {
		case strings.HasPrefix(tag, "ru"):
			return russian
		case strings.HasPrefix(tag, "en"):
			return english
		}
	}
	return english
}
