// The SDK's addresses are constants, so its requests are turned elsewhere. To be imported before it: both get one axios.
import axios from 'axios';

const endpoint = process.env.DINGTALK_OPENAPI_ENDPOINT;
axios.interceptors.request.use((config) => ({
  ...config,
  url: config.url.replace(/^https:\/\/o?api\.dingtalk\.com/, endpoint),
  proxy: false,
}));
