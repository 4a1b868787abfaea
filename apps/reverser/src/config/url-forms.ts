/** An address that the Redis client can use: it throws at a broken escape, and asks for a database by whatever the path holds. */
export function isRedisUrl(text: string): boolean {
  if (!/^rediss?:\/\/\S+$/.test(text)) return false;
  const url = parseUrl(text);
  if (url === undefined || url.hostname === '' || url.port === '0') return false;
  return /^\/?\d*$/.test(url.pathname) && isDecodable(url.username) && isDecodable(url.password);
}

/** A base URL as the API server takes it in a webhook's configuration: https, without user, query or fragment. */
export function isWebhookUrl(text: string): boolean {
  if (!/^https:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/.test(text)) return false;
  const url = parseUrl(text);
  return url !== undefined && url.port !== '0';
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
