package main

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// rotationOf is what an administrator said about a service's renewals. What was not
// said is the careful one: the refresh token is replaced.
func rotationOf(svc provider.Service) provider.Rotation {
	switch kind := provider.RotationKind(svc.String(optionRotation)); kind {
	case provider.RotationNone:
		return provider.Rotation{Kind: kind, RepeatSafe: true}
	case provider.RotationRotatesRevokesAccess:
		return provider.Rotation{Kind: kind}
	case provider.RotationRotatesWithGrace:
		return provider.Rotation{Kind: kind, Grace: graceOf(svc)}
	default:
		return provider.Rotation{Kind: provider.RotationRotates}
	}
}

// graceOf is how long a replaced refresh token stays good; 0 if that was not said.
func graceOf(svc provider.Service) time.Duration {
	grace, err := time.ParseDuration(svc.String(optionGrace))
	if err != nil {
		return 0
	}
	return grace
}
