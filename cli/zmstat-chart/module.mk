CHART_SOURCES := $(addprefix cli/zmstat-chart/,charts.c data.c draw.c page.c)
$(eval $(call program,bin/zmstat-chart,cli/zmstat-chart/main.c $(CHART_SOURCES),series,librrd,-lm,bin))
$(eval $(call program,bin/zmstat-chart-config,cli/zmstat-chart/config-main.c cli/zmstat-chart/charts.c,service,,,bin))
$(eval $(call install_file,cli/zmstat-chart/zmstat-chart.xml,lib,0644))
