package main

import "github.com/evergrant/evergrant/sdk/providerplugin"

func main() {
	providerplugin.Serve(wildberries, ozonSeller, yandexMarket, telegramSession, apiKey{})
}
