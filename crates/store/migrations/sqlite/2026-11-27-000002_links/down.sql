DROP TABLE link_rejections;
DROP TABLE links;
