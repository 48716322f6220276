template_sources := $(addprefix lib/template/,parse.c directive.c render.c syntax.c)
$(eval $(call concept,template,$(template_sources),,,-lm))
