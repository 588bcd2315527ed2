package main

import (
	"time"

	"github.com/evergrant/evergrant/sdk/provider"
)

// rotationOf is the rotation policy that an administrator chose for a service. The
// default is the cautious one: the refresh token is replaced.
func rotationOf(svc provider.Service) provider.Rotation {
	switch kind := provider.RotationKind(svc.Option(optionRotation)); kind {
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

// graceOf is how long a replaced refresh token stays valid; 0 if not given.
func graceOf(svc provider.Service) time.Duration {
	grace, err := time.ParseDuration(svc.Option(optionGrace))
	if err != nil {
		return 0
	}
	return grace
}
