/** HTTP: health today; metrics and the console come here. */
export { type Health, healthResponse, type HealthStatus } from "./health.ts";
export { HttpServer, type HttpServerOptions } from "./http_server.ts";
