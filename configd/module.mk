# The engine apart from its daemon: what unit tests link.
configd_engine := $(addprefix configd/,layout.c facts.c derived.c plan.c generation.c history.c command.c \
                  validate.c check-postfix.c confirm.c engine.c apply.c engine-view.c)
