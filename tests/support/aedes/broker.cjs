// SPDX-License-Identifier: Apache-2.0
// broker.cjs CERTIFICATE KEY TCP TLS WS WSS: aedes on four ports of loopback, until it is ended.
const fs = require('node:fs')
const http = require('node:http')
const https = require('node:https')
const net = require('node:net')
const tls = require('node:tls')
const modules = require('node:module').createRequire(process.env.SKIFF_AEDES + '/package.json')
const aedes = modules('aedes')()
const { WebSocketServer, createWebSocketStream } = modules('ws')

const [certificate, key, ...ports] = process.argv.slice(2)
const identity = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }

function upgrading (server) {
  const handleProtocols = (offered) => offered.has('mqtt') ? 'mqtt' : false
  new WebSocketServer({ server, path: '/mqtt', handleProtocols })
    .on('connection', (socket, request) => aedes.handle(createWebSocketStream(socket), request))
  return server
}

const servers = [
  net.createServer(aedes.handle),
  tls.createServer(identity, aedes.handle),
  upgrading(http.createServer()),
  upgrading(https.createServer(identity))
]
servers.forEach((server, index) => server.listen(Number(ports[index]), '127.0.0.1'))
