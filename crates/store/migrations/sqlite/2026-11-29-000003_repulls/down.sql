DROP TABLE repulls;
