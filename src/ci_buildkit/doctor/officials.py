"""The official images of Docker Hub: the names that stand in a FROM without a host and without an owner.

Docker alone gives these names, so one that is a slip away from a well-known one does not exist. The list need not be
complete: what it lacks is taken for a name that exists.
"""

from __future__ import annotations

from ci_buildkit.doctor.nearest import words

OFFICIAL = words(
    """
    adminer aerospike almalinux alpine alt amazoncorretto amazonlinux api-firewall arangodb archlinux backdrop bash bonita
    buildpack-deps busybox caddy cassandra centos chronograf cirros clearlinux clefos clickhouse clojure composer consul
    convertigo couchbase couchdb crate crux dart debian docker drupal eclipse-mosquitto eclipse-temurin eggdrop elasticsearch
    elixir emqx erlang euleros express-gateway fedora flink fluentd friendica gazebo gcc geonetwork ghost golang gradle groovy
    haproxy haskell haxe hello-seattle hello-world hitch hola-mundo hylang ibex ibmjava influxdb irssi jenkins jetty jobber
    joomla jruby julia kaazing-gateway kapacitor kibana known kong krakend lightstreamer liquibase logstash mageia mariadb
    matomo maven mediawiki memcached mongo mongo-express monica mono mysql nats nats-streaming neo4j neurodebian nextcloud
    nginx node notary nuxeo odoo open-liberty openjdk opensuse oraclelinux orientdb percona perl photon php php-zendserver
    phpmyadmin piwik plone postfixadmin postgres projectsend pypy python r-base rabbitmq rakudo-star rapidoid redis redmine
    registry rethinkdb rocket.chat rockylinux ros ruby rust sapmachine satosa scratch sentry silverpeas sl solr sonarqube
    sourcemage spark spiped storm swarm swift swipl teamspeak telegraf thrift tomcat tomee traefik ubuntu ubuntu-debootstrap
    ubuntu-upstart unit varnish vault websphere-liberty wordpress xwiki yourls znc zookeeper
    """
)
# Images that hold little but a system: no ENV of theirs names a version of something else.
SYSTEMS = words(
    """
    almalinux alpine amazonlinux archlinux bash busybox centos debian fedora opensuse oraclelinux photon rockylinux scratch
    ubuntu
    """
)
# What official images set beside variables that begin with their own names.
SET_BY_OTHERS = words(
    "GOSU_VERSION JAVA_VERSION JSYAML_VERSION NJS_VERSION PG_MAJOR PG_VERSION PKG_RELEASE YARN_VERSION"
)
# Those whose user is root and whose home is /root.
AS_ROOT = SYSTEMS | words(
    """
    amazoncorretto buildpack-deps composer dart docker eclipse-temurin elixir erlang gcc golang haskell julia maven node
    openjdk perl php pypy python ruby rust swift
    """
)
