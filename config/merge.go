package config

import (
	"fmt"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// merge lays the checked values over the defaults. Values already have the
// types of Config's fields, so nothing is converted on the way: a weak
// conversion would accept what the strict pass has refused.
//
// The environment is read by us and not by Viper's BindEnv, which sees only the
// process's own; a Load is then a function of its arguments.
func merge(values layer) (*Config, error) {
	v := viper.New()
	for i := range table {
		k := &table[i]
		if def := k.initial(); def != nil {
			v.SetDefault(k.path, def)
		}
		if g, ok := values[k.path]; ok && !g.bad && g.value != nil {
			v.Set(k.path, g.value)
		}
	}
	var cfg Config
	strict := func(c *mapstructure.DecoderConfig) {
		c.TagName = "key"
		c.WeaklyTypedInput = false
		c.ErrorUnused = true
		c.DecodeHook = nil
	}
	if err := v.Unmarshal(&cfg, strict); err != nil {
		return nil, fmt.Errorf("config: table and Config disagree: %w", err)
	}
	return &cfg, nil
}
